import { type ErrorCode, VouchsafeError } from "../errors.ts";

/** The checklist, in the order in which it is gone through. */
export const STEPS = [
  "format",
  "time",
  "certificate",
  "sct",
  "log",
  "signature",
  "identity",
  "statement",
] as const;

export type Step = (typeof STEPS)[number];

/** What verification found, step by step: for people who want to know why, and for those who audit. */
export interface Findings {
  /** Trusted times at which the signature existed, earliest first. */
  readonly times: readonly TrustedTime[];
  /** The certificates that vouch for the signing one, as their subjects' common names: its issuer first. */
  readonly chain: readonly string[];
  /** Certificate-transparency logs that promised to publish the signing certificate. */
  readonly scts: readonly { readonly log: string; readonly operator: string; readonly time: number }[];
  readonly logEntries: readonly FoundLogEntry[];
}

export interface TrustedTime {
  readonly source: "log" | "timestamp-authority";
  readonly name: string;
  /** Who runs it: those of one operator say it together. */
  readonly operator: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

export interface FoundLogEntry {
  readonly log: string;
  /** Who runs it: entries in logs of one operator are one entry. */
  readonly operator: string;
  /** Absent where nothing signs it: in a log of several trees, beside a proof and no promise. */
  readonly logIndex?: number;
  /** Kind and version, e.g. `hashedrekord 0.0.1`. */
  readonly kind: string;
  /** By an inclusion proof up to a signed checkpoint; otherwise by the log's promise alone. */
  readonly proven: boolean;
}

/** How many of them count: what has one operator counts once (sigstore_trustroot.proto, `operator`). */
export function operatorsOf(found: readonly { readonly operator: string }[]): number {
  return new Set(found.map(({ operator }) => operator)).size;
}

export const NOTHING_FOUND: Findings = { times: [], chain: [], scts: [], logEntries: [] };

/** Evidence that does not verify: the step that failed, and what the steps before it found. */
export class VerificationError extends VouchsafeError {
  readonly step: Step;
  readonly findings: Findings;

  constructor(
    step: Step,
    code: ErrorCode,
    message: string,
    findings: Partial<Findings> = {},
    cause?: unknown,
  ) {
    super(code, message, { extensions: { step }, ...(cause === undefined ? {} : { cause }) });
    this.step = step;
    this.findings = { ...NOTHING_FOUND, ...findings };
  }
}
