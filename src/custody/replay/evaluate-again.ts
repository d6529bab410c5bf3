import { VouchsafeError } from "../../errors.ts";
import type { Digest } from "../../in-toto-attestation/index.ts";
import { evaluate } from "../../policy/evaluate.ts";
import type { VerificationPolicy } from "../../policy/policy.ts";
import type { Question } from "../../policy/question.ts";
import type { Evaluation } from "../../policy/types.ts";
import type { VerifiedAttestation } from "../../verify/verified-attestation.ts";
import type { PackedMaterial } from "../pack/packed-material.ts";
import { refuseUnless } from "../pack/report.ts";
import { revocationOf, withoutRevoked } from "../revocations.ts";
import type { Standing } from "./standing.ts";

/** A pass that came out again, and what it was evaluated from. */
export interface KnownPass {
  readonly evaluation: Evaluation;
  readonly basis: readonly unknown[];
  /** It holds from then on, until `evaluation.validUntil`. Milliseconds since the epoch. */
  readonly from: number;
}

/**
 * Evaluates a policy again on all evidence so far that was not revoked, under the trust in force.
 *
 * @param restsOn what the verdict names as the other artifacts that it rests on: what holds the artifact besides was not
 *   looked at, or did not pass
 */
export function evaluateAgain(
  standing: Standing,
  policy: VerificationPolicy,
  at: number,
  restsOn: readonly Digest[],
): Evaluation {
  return evaluate(policy, questionAgain(standing, restsOn), at);
}

/** What is asked of a policy by all evidence that stands, about the artifact and about these others. */
export function questionAgain(
  { artifact, inForce, accepted, manifests, material, revocations }: Standing,
  restsOn: readonly Digest[],
): Question {
  const { trust } = inForce;
  refuseUnless(trust !== null, "no trust was in force");
  const revoked = [...revocations.values()];
  const about = (digest: Digest) =>
    (accepted.get(digest) ?? [])
      .flatMap(({ id, verifiedAt }) => verifiedIfItStillIs(material, id, trust, verifiedAt))
      .filter((attestation) => revocationOf(attestation, digest, revoked) === undefined);
  const evidence = about(artifact);
  const others = new Map(restsOn.map((digest) => [digest, about(digest)]));
  const within = withoutRevoked(manifests, revoked).filter(({ container }) => others.has(container));
  return { artifact, evidence, others, manifests: within };
}

/** Evidence that a later trust snapshot no longer believes counts in no verdict under it. */
function verifiedIfItStillIs(
  material: PackedMaterial,
  id: Digest,
  trust: Digest,
  at: number,
): VerifiedAttestation[] {
  material.evidence(id);
  material.trust(trust);
  try {
    return [material.verified(id, trust, at)];
  } catch (error) {
    if (error instanceof VouchsafeError) return [];
    throw error;
  }
}

/**
 * The same where a pass is enough: one that came out at an earlier time, from what still stands, is taken at its word for
 * as long as it lasts. Thousands of identities can rest on one.
 */
export function passAgain(
  standing: Standing,
  policy: VerificationPolicy,
  at: number,
  restsOn: readonly Digest[],
): Evaluation {
  const { accepted, manifests, revocations, inForce, passes } = standing;
  const key = `${policy.hash} ${restsOn.join()}`;
  const basis = [accepted, manifests, revocations, inForce.trust];
  const known = passes.get(key);
  const lasts = known !== undefined && at >= known.from && at < (known.evaluation.validUntil ?? Infinity);
  if (lasts && known.basis.every((part, i) => part === basis[i])) return known.evaluation;
  const evaluation = evaluateAgain(standing, policy, at, restsOn);
  if (evaluation.outcome === "passed") passes.set(key, { evaluation, basis, from: at });
  return evaluation;
}
