import type { Digest } from "../in-toto-attestation/index.ts";
import type { Containment } from "../policy/question.ts";
import type { Check, Evaluation } from "../policy/types.ts";
import { type AttestationSummary, originOf, type Said, type SignerSummary } from "./attestation-summary.ts";
import { textIn } from "./body-fields.ts";
import type { LogEvent } from "./events.ts";
import {
  type Origin,
  parseTarget,
  type RevocationTarget,
  type RevokedSigner,
  type Window,
} from "./revocation-target.ts";

/** A revocation that nobody withdrew. */
export interface Revocation {
  readonly id: string;
  readonly target: RevocationTarget;
  readonly reason: string;
}

/** Evidence that does not count, and why. */
export interface RevokedEvidence {
  readonly attestation: Digest;
  readonly revocation: Revocation;
}

/** The check that a failed verdict has for evidence that was taken from it. */
export const REVOCATION_CHECK = "evidence.revoked";
/** Of revoked evidence, how much a verdict names: what it lacks is told besides. */
const MAX_NAMED = 8;

/** What evidence says of where it comes from: as the log records it, but times in milliseconds since the epoch. */
export type Originated = Pick<AttestationSummary, "signer" | "source" | "builder"> & Pick<Said, "times">;

/** What of evidence says whether it is revoked. */
export type Revocable = Originated & Pick<AttestationSummary, "id" | "subjects"> & Pick<Said, "payload">;

/** The first of these by which evidence does not count about an artifact. What it is judged by is what the log recorded of it. */
export function revocationOf(
  said: Said,
  artifact: Digest,
  revocations: readonly Revocation[],
): Revocation | undefined {
  if (revocations.length === 0) return undefined;
  const recorded = { ...said, ...originOf(said) };
  return revocations.find(({ target }) => isCovered(recorded, artifact, target));
}

/** Whether evidence about an artifact is what a revocation means. */
export function isCovered(said: Revocable, artifact: Digest, target: RevocationTarget): boolean {
  if ("attestation" in target) return said.id === target.attestation || isSame(said.payload, target.payload);
  // All digests of a subject name one artifact: another of its names does not bring the evidence back.
  if ("artifact" in target)
    return said.subjects.some(
      ({ digests }) => digests.includes(artifact) && digests.includes(target.artifact),
    );
  return isOf(said, target);
}

/** Whether evidence comes from there. */
export function isOf(said: Originated, origin: Origin): boolean {
  if ("repository" in origin) return said.source.repository === origin.repository;
  if ("builder" in origin) return said.builder === origin.builder && isWithin(said, origin);
  return isSigner(said.signer, origin.signer) && isWithin(said, origin);
}

/** What was signed is the attestation: anybody can write other bytes around it. */
function isSame(payload: Digest | undefined, revoked: Digest | undefined): boolean {
  return payload !== undefined && payload === revoked;
}

function isSigner(signer: SignerSummary, revoked: RevokedSigner): boolean {
  // By either: a key stays revoked under another name, and what takes its name is taken for it.
  if ("key" in revoked)
    return signer.case === "key" && (signer.name === revoked.key || signer.keyId === revoked.keyId);
  const { issuer, identity } = revoked;
  return signer.case === "certificate" && signer.issuer === issuer && signer.identity === identity;
}

/**
 * By the earliest trusted time: a later timestamp takes nothing out of a window. Without any, it is inside; and nothing that
 * a key signed is past an end, for it can have been signed before that and be timestamped later.
 */
function isWithin({ signer, times: [signedAt] }: Originated, { from, until }: Window): boolean {
  if (signedAt === undefined) return true;
  const isBefore = until === undefined || signer.case === "key" || signedAt < Date.parse(until);
  return isBefore && (from === undefined || signedAt >= Date.parse(from));
}

/** What manifests say, without what they say of artifacts that are revoked: those lie nowhere. */
export function withoutRevoked(
  manifests: readonly Containment[],
  revocations: readonly Revocation[],
): readonly Containment[] {
  const revoked = new Set(
    revocations.flatMap(({ target }) => ("artifact" in target ? [target.artifact] : [])),
  );
  return revoked.size === 0 ? manifests : manifests.filter(({ contained }) => !revoked.has(contained));
}

/** A failure with what was taken from its evidence; what passes without it passes. */
export function tellingRevoked(evaluation: Evaluation, revoked: readonly RevokedEvidence[]): Evaluation {
  if (evaluation.outcome === "passed" || revoked.length === 0) return evaluation;
  return { ...evaluation, checks: [...revoked.slice(0, MAX_NAMED).map(checkOf), ...evaluation.checks] };
}

function checkOf({ attestation, revocation: { id, reason } }: RevokedEvidence): Check {
  return {
    check: REVOCATION_CHECK,
    passed: false,
    expected: "evidence that nobody has revoked",
    actual: `${attestation}, revoked by ${id}: ${reason}`,
    attestation,
  };
}

/** Those that stand after an event, by their ids. Throws an error of ours for a body without the members of its type. */
export function revocationsAfter(
  before: ReadonlyMap<string, Revocation>,
  { type, body }: Pick<LogEvent, "type" | "body">,
): ReadonlyMap<string, Revocation> {
  switch (type) {
    case "evidence.revoked": {
      const [id, reason] = [textIn(body, "id"), textIn(body, "reason")];
      return new Map([...before, [id, { id, target: parseTarget(body.target), reason }]]);
    }
    case "revocation.withdrawn": {
      const id = textIn(body, "id");
      return new Map([...before].filter(([key]) => key !== id));
    }
    default:
      return before;
  }
}
