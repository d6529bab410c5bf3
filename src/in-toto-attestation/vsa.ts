import { AttestationFormatError } from "./errors.ts";
import { isJsonObject } from "./json.ts";
import type { JsonValue, Statement } from "./types.ts";

/** A SLSA Verification Summary Attestation v1 (slsa.dev/spec/v1.2/verification_summary), as far as it is judged here. */
export interface VerificationSummary {
  readonly verifierId: string;
  /** What the artifact was verified as: the same bytes may be good as one thing and not as another. */
  readonly resourceUri: string;
  readonly verificationResult: "PASSED" | "FAILED";
  /** E.g. `SLSA_BUILD_LEVEL_3`; at most one of each SLSA track, beside levels of the verifier's own. */
  readonly verifiedLevels: readonly string[];
  readonly timeVerified?: string;
  readonly slsaVersion?: string;
  /** When it ceases to count (`vouchsafe_validUntil`, a member of Vouchsafe's own), in milliseconds since the epoch. */
  readonly validUntil?: number;
}

/** What a consumer asks of a summary. Its signer is asked for elsewhere: only certain signers speak for a verifier. */
export interface SummaryDemands {
  readonly verifierId: string;
  readonly resourceUri: string;
  readonly verifiedLevels: readonly string[];
}

/** A demand that a summary does not meet. */
export interface UnmetDemand {
  readonly demand: keyof VerificationSummary;
  readonly expected: string;
  readonly actual: string;
}

export const VSA_PREDICATE_TYPE = "https://slsa.dev/verification_summary/v1";
const MAX_LEVELS = 64;

/**
 * The verification summary of a Statement; undefined for a Statement of another predicate type. Unknown members are
 * ignored, as SLSA's parsing rules ask.
 *
 * Throws `AttestationFormatError` (`malformed-statement`).
 */
export function verificationSummaryOf({
  predicateType,
  predicate,
}: Statement): VerificationSummary | undefined {
  if (predicateType !== VSA_PREDICATE_TYPE) return undefined;
  const { verifier, resourceUri, verificationResult, verifiedLevels, timeVerified, slsaVersion } = predicate;
  const { vouchsafe_validUntil: validUntil } = predicate;
  if (!isJsonObject(verifier)) throw malformed("verifier is not an object");
  if (verificationResult !== "PASSED" && verificationResult !== "FAILED") {
    throw malformed("verificationResult is neither PASSED nor FAILED");
  }
  return {
    verifierId: text(verifier.id, "verifier.id"),
    resourceUri: text(resourceUri, "resourceUri"),
    verificationResult,
    verifiedLevels: levels(verifiedLevels),
    ...(timeVerified === undefined ? {} : { timeVerified: text(timeVerified, "timeVerified") }),
    ...(slsaVersion === undefined ? {} : { slsaVersion: text(slsaVersion, "slsaVersion") }),
    ...(validUntil === undefined ? {} : { validUntil: time(validUntil, "vouchsafe_validUntil") }),
  };
}

function levels(value: JsonValue | undefined): string[] {
  if (!Array.isArray(value) || value.length > MAX_LEVELS)
    throw malformed("verifiedLevels is not a short array");
  const found = value.map((level: JsonValue) => text(level, "a verified level"));
  const tracks = found.flatMap((level) => slsaLevel(level)?.track ?? []);
  if (new Set(tracks).size < tracks.length) throw malformed("verifiedLevels has two levels of one track");
  return found;
}

/**
 * What the summary does not meet; nothing when it meets all. It must have passed, for this resource and by this
 * verifier, at each of the levels: a SLSA level implies those below it on its track, any other level only itself.
 */
export function unmetDemands(summary: VerificationSummary, demands: SummaryDemands): UnmetDemand[] {
  const unmet: UnmetDemand[] = [];
  const equal = (demand: "verificationResult" | "verifierId" | "resourceUri", expected: string) => {
    if (summary[demand] !== expected) unmet.push({ demand, expected, actual: summary[demand] });
  };
  equal("verificationResult", "PASSED");
  equal("verifierId", demands.verifierId);
  equal("resourceUri", demands.resourceUri);
  for (const expected of demands.verifiedLevels) {
    if (summary.verifiedLevels.some((level) => implies(level, expected))) continue;
    unmet.push({ demand: "verifiedLevels", expected, actual: summary.verifiedLevels.join(", ") || "none" });
  }
  return unmet;
}

/** A verified property, which is what the highest level of the source track asks beyond the one below. */
const TWO_PARTY_REVIEWED = "SLSA_SOURCE_TWO_PARTY_REVIEWED";

function implies(level: string, demanded: string): boolean {
  if (level === "SLSA_SOURCE_LEVEL_4" && demanded === TWO_PARTY_REVIEWED) return true;
  const [has, wants] = [slsaLevel(level), slsaLevel(demanded)];
  if (has === undefined || wants === undefined) return level === demanded;
  return has.track === wants.track && has.level >= wants.level;
}

/** `SLSA_<TRACK>_LEVEL_<N>`; the prefix is SLSA's alone. */
const SLSA_LEVEL = /^SLSA_([A-Z]+)_LEVEL_([0-9])$/;

function slsaLevel(text: string): { track: string; level: number } | undefined {
  const [, track, level] = SLSA_LEVEL.exec(text) ?? [];
  return track === undefined ? undefined : { track, level: Number(level) };
}

function text(value: JsonValue | undefined, what: string): string {
  if (typeof value !== "string" || value === "") throw malformed(`${what} is not a string`);
  return value;
}

/** An RFC 3339 time in UTC, with milliseconds. */
function time(value: JsonValue, what: string): number {
  const written = text(value, what);
  const time = Date.parse(written);
  if (Number.isNaN(time) || new Date(time).toISOString() !== written)
    throw malformed(`${what} is not a time`);
  return time;
}

function malformed(what: string): AttestationFormatError {
  return new AttestationFormatError("malformed-statement", `not a verification summary: ${what}`);
}
