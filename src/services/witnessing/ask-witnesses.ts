import { type LogSigners, signTree } from "../../custody/log-signers.ts";
import type { Database } from "../../db/connection.ts";
import { readHead, tileReader } from "../../db/log.ts";
import { readWitnessRecords, recordWitness, type WitnessRecord } from "../../db/witnesses.ts";
import { VouchsafeError } from "../../errors.ts";
import { proveConsistency } from "../../tlog/proofs.ts";
import type { Witness, WitnessPolicy } from "../../tlog/witness-policy.ts";
import { keepCosignature } from "../log/cosigned-checkpoints.ts";
import { type Submitted, submitCheckpoint } from "./submit-checkpoint.ts";

/** What asking witnesses needs of a node; a node that is not open yet has this much. */
export interface Asking {
  readonly database: Database;
  readonly policy: WitnessPolicy;
  readonly signers: LogSigners;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly report: (problem: string, cause: unknown) => void;
}

/** A tree of the log that witnesses are asked to cosign: the newest. */
export interface Target {
  readonly size: number;
  readonly checkpoint: string;
}

type Outcome = Exclude<Submitted, { case: "ahead" }>;

/** The log's head. That of an empty log, which nothing signed yet, is signed here, so that it can be asked about. */
export async function targetOf({ database, signers }: Pick<Asking, "database" | "signers">): Promise<Target> {
  const { size, root, checkpoint } = await readHead(database.kysely);
  return { size, checkpoint: size === 0 ? signTree({ size, root }, signers) : checkpoint };
}

/**
 * Asks one witness, and keeps what came of it: a cosignature, or what is wrong.
 *
 * @param isBelieved whether its word against the log counts
 * @returns what came of it, where a witness that is ahead of the target is one that contradicts the log unless the
 *   log has grown meanwhile; and whether the quorum has cosigned the target
 */
export async function askWitness(
  asking: Asking,
  witness: Witness,
  target: Target,
  before: WitnessRecord,
  isBelieved: boolean,
  signal?: AbortSignal,
): Promise<{ readonly outcome: Outcome; readonly quorum: boolean }> {
  const { database, clock } = asking;
  const readTiles = tileReader(database.kysely);
  const prove = (from: number) => proveConsistency(readTiles, from, target.size);
  const submitted = await submitCheckpoint(witness, { ...target, prove }, before.size, signal);
  if (signal?.aborted)
    return { outcome: { case: "trouble", what: "the node is shutting down" }, quorum: false };
  const outcome = await settle(asking, submitted, isBelieved);
  const record = recordOf(before, outcome, target, clock());
  if (outcome.case !== "cosigned") {
    tellNews(asking, witness, before, record, outcome.case === "trouble" ? outcome.cause : undefined);
    await recordWitness(database.kysely, record);
    return { outcome, quorum: false };
  }
  // The empty tree has nothing to show for being cosigned.
  const quorum = target.size > 0 && (await keepCosignature(asking, target.size, outcome.note));
  await recordWitness(database.kysely, record);
  return { outcome, quorum };
}

/** Another node may have taken a witness further than the tree that it is asked about here. */
async function settle({ database }: Asking, submitted: Submitted, isBelieved: boolean): Promise<Outcome> {
  if (submitted.case === "cosigned" || submitted.case === "trouble") return submitted;
  let { what } = submitted.case === "contradiction" ? submitted : { what: "" };
  if (submitted.case === "ahead") {
    const { size } = await readHead(database.kysely);
    if (submitted.size <= size) return { case: "trouble", what: "another node asked it meanwhile" };
    what = `it cosigned a tree of ${submitted.size} entries, and this log has ${size}`;
  }
  return isBelieved
    ? { case: "contradiction", what }
    : { case: "trouble", what: `it takes back its word: ${what}` };
}

function recordOf(before: WitnessRecord, outcome: Outcome, target: Target, now: number): WitnessRecord {
  switch (outcome.case) {
    case "cosigned":
      return { ...before, size: target.size, cosignedAt: now, contradiction: null };
    case "contradiction":
      return { ...before, contradiction: outcome.what };
    case "trouble":
      return { ...before, trouble: outcome.what, troubledAt: now };
  }
}

/** Told once, and not again with each attempt that ends in the same way. */
function tellNews(
  { report }: Asking,
  { name }: Witness,
  before: WitnessRecord,
  after: WitnessRecord,
  cause: unknown,
): void {
  const isTold = before.troubledAt !== null && before.troubledAt >= (before.cosignedAt ?? 0);
  if (after.contradiction !== null && after.contradiction !== before.contradiction)
    report(`witness ${name} contradicts the log: ${after.contradiction}`, undefined);
  else if (!isTold || after.trouble !== before.trouble)
    report(`witness ${name} did not cosign: ${after.trouble}`, cause);
}

export function recordsOf({ database }: Pick<Asking, "database">): Promise<readonly WitnessRecord[]> {
  return readWitnessRecords(database.kysely);
}

/** What is known of a witness; of a new one, nothing. */
export function recordFor(records: readonly WitnessRecord[], { verifier }: Witness): WitnessRecord {
  const known = records.find(({ key }) => key === verifier.verifierKey);
  const nothing = { size: 0, cosignedAt: null, trouble: null, troubledAt: null, contradiction: null };
  return known ?? { key: verifier.verifierKey, ...nothing };
}

export function contradictionOf({ name }: Pick<Witness, "name">, what: string): string {
  return `Witness ${name} contradicts this log: ${what}`;
}

/** What stops a node, and what to do about it. */
export function forked(contradiction: string): VouchsafeError {
  return new VouchsafeError(
    "log-inconsistent",
    `${contradiction}. Either the database is an older one than the log has had, and must not grow: restore the ` +
      "newest; or the witness is wrong: then take it out of VOUCHSAFE_WITNESSES",
  );
}
