import { VouchsafeError } from "../errors.ts";
import { covers } from "../trust/time-range.ts";
import type { Witnesses } from "./anchors.ts";
import { type Findings, operatorsOf, type TrustedTime, VerificationError } from "./findings.ts";
import { type FoundEntry, readLogEntry } from "./log-entry.ts";
import type { LoggedSignature } from "./log-entry-body.ts";
import { type FoundTimestamp, readTimestamp } from "./rfc3161.ts";
import type { Claim } from "./signature-check.ts";
import { SignedBytes } from "./signed.ts";
import type { EvidenceSignature } from "./signed-evidence.ts";

// Two steps of the checklist that certificates and keys share: when the signature existed, and where it was
// published. Thresholds count what is different: two of one operator count once.

/** Claims that could be made, and why the first of the others could not: one bad item never vetoes a good one. */
export interface Attempts<Found> {
  readonly claims: readonly Claim<Found>[];
  readonly failure: VouchsafeError | undefined;
}

export interface WitnessClaims {
  readonly timestamps: Attempts<FoundTimestamp>;
  readonly entries: Attempts<FoundEntry>;
}

/** What the witnesses would say of this signature, if their own signatures hold. */
export function claimsOfWitnesses(
  { signature, timestamps, logEntries }: EvidenceSignature,
  { timestampAuthorities, logs }: Witnesses,
  logged: LoggedSignature,
): WitnessClaims {
  const signed = new SignedBytes(signature);
  return {
    timestamps: attemptEach(timestamps, (one) => readTimestamp(one, signed, timestampAuthorities)),
    entries: attemptEach(logEntries, (entry) => [readLogEntry(entry, logs, logged)]),
  };
}

function attemptEach<Item, Found>(
  items: readonly Item[],
  read: (item: Item) => readonly Claim<Found>[],
): Attempts<Found> {
  const claims: Claim<Found>[] = [];
  let failure: VouchsafeError | undefined;
  for (const item of items) {
    try {
      claims.push(...read(item));
    } catch (error) {
      if (!(error instanceof VouchsafeError)) throw error;
      failure ??= error;
    }
  }
  return { claims, failure };
}

/** The times that timestamps and the logs' promises vouch for, earliest first. */
export function trustedTimes(
  timestamps: readonly FoundTimestamp[],
  entries: readonly FoundEntry[],
): TrustedTime[] {
  const counted = timestamps.filter(
    ({ response }, i) => timestamps.findIndex((one) => one.response === response) === i,
  );
  return [
    ...counted.map(
      ({ name, operator, time }) => ({ source: "timestamp-authority", name, operator, time }) as const,
    ),
    ...entries.flatMap(({ log, operator, promisedTime }) =>
      promisedTime === undefined ? [] : [{ source: "log", name: log, operator, time: promisedTime } as const],
    ),
  ].sort((a, b) => a.time - b.time);
}

/** Refuses times of fewer operators than needed. Throws `VerificationError` (`time-unverified`). */
export function requireTimes(
  times: readonly TrustedTime[],
  needed: number,
  failure: VouchsafeError | undefined,
): void {
  const sources = operatorsOf(times);
  if (sources >= needed) return;
  // Where the one source of time is a log entry that is refused, the entry is what is wrong.
  const isEntry = failure?.code === "log-entry-invalid" && sources === 0;
  throw new VerificationError(
    isEntry ? "log" : "time",
    isEntry ? failure.code : "time-unverified",
    `${askedFor("trusted time says when the signature existed", sources, needed)}${because(failure)}`,
    { times },
  );
}

/** The entries whose log was in force at one of the times, of at least so many operators; else `log-entry-invalid`. */
export function requireLogEntries(
  entries: readonly FoundEntry[],
  times: readonly TrustedTime[],
  needed: number,
  failure: VouchsafeError | undefined,
  findings: Partial<Findings>,
): FoundEntry[] {
  // Where nobody says when, a log is believed that is trusted at all: its key's dates are then its only bound.
  const inForce = entries.filter(
    ({ validFor }) =>
      times.length === 0 || times.some(({ time }) => validFor.some((range) => covers(range, time))),
  );
  const logs = operatorsOf(inForce);
  if (logs >= needed) return inForce;
  throw new VerificationError(
    "log",
    "log-entry-invalid",
    `${askedFor("log proves this signature", logs, needed)}${because(failure)}`,
    findings,
  );
}

function askedFor(what: string, found: number, needed: number): string {
  return found === 0 ? `no ${what}` : `${found} ${what}, where ${needed} are asked for`;
}

function because(failure: VouchsafeError | undefined): string {
  return failure === undefined ? "" : `: ${failure.message}`;
}
