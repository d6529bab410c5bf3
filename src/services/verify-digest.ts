import type { InForce } from "../decisions/decide.ts";
import { type Decision, decide, denyStale, type Reason } from "../decisions/decide.ts";
import type { ArtifactState } from "../decisions/projection.ts";
import { VouchsafeError } from "../errors.ts";
import { groundsAllow, parseDigest } from "../in-toto-attestation/digest.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import { type Caller, policiesFor } from "./caller.ts";
import type { Vouchsafe } from "./context.ts";
import { needsEvaluation } from "./evaluate-artifacts.ts";
import { reevaluate } from "./reevaluate.ts";

export interface DigestQuestion {
  /** `algorithm:hex` */
  readonly digest: string;
  /** One policy to decide by, where the caller may choose. */
  readonly policy?: string;
  /** Log size that the answer must know of, e.g. that of a receipt just got. */
  readonly minSize?: number;
}

/** A decision as the API gives it. */
export interface DigestAnswer {
  readonly digest: Digest;
  readonly decision: "allow" | "deny";
  readonly reasons: readonly Reason[];
  readonly policies: readonly {
    readonly policy: string;
    readonly policyHash: string;
    readonly outcome: "passed" | "failed";
    readonly slsaLevel: number;
    readonly attestations: readonly Digest[];
    readonly validUntil: string | null;
  }[];
  readonly slsaLevel: number;
  /** The log size that the decision knows of. */
  readonly asOf: number;
  readonly validUntil: string | null;
}

/** How long a question that asks for some log size waits for it, in milliseconds. */
const CATCH_UP = 2_000;

/**
 * Answers whether a digest is allowed now. From memory where the projection has it; a verdict that is missing or
 * outdated is evaluated first, so that an edit of policy or trust never denies longer than it takes to ask. A node
 * that has lost sight of the log denies.
 *
 * @throws VouchsafeError `unsupported-digest-algorithm`; `policy-not-allowed`; `stale` when the log's `minSize` is not reached in two seconds
 */
export async function verifyDigest(
  v: Vouchsafe,
  caller: Caller,
  question: DigestQuestion,
): Promise<DigestAnswer> {
  const digest = parseDigest(question.digest);
  if (!groundsAllow(digest)) {
    throw new VouchsafeError("unsupported-digest-algorithm", "Ask by a sha256, sha384 or sha512 digest");
  }
  const policies = policiesFor(caller, question.policy);
  if (question.minSize !== undefined) await v.projection.caughtUp(question.minSize, CATCH_UP);
  if (v.projection.staleness() > v.config.maxStaleness) return answer(denyStale(digest), v.projection.size);

  let view = await look(v, caller, digest);
  if (view.state.hasEvidence && needsEvaluation(view.state.verdicts, policies, view.inForce)) {
    await reevaluate(v, caller.project, [digest], policies);
    view = await look(v, caller, digest);
  }
  const { state, inForce, asOf } = view;
  return answer(decide({ digest, policies, inForce, ...state }, v.clock()), asOf);
}

interface View {
  readonly state: ArtifactState;
  readonly inForce: InForce;
  readonly asOf: number;
}

async function look(v: Vouchsafe, { project }: Caller, digest: Digest): Promise<View> {
  const [artifact, inForce] = await Promise.all([
    v.projection.artifact(project, digest),
    v.projection.inForce(project),
  ]);
  return { state: artifact.value, inForce: inForce.value, asOf: Math.min(artifact.asOf, inForce.asOf) };
}

function answer({ verdicts, validUntil, ...decision }: Decision, asOf: number): DigestAnswer {
  return {
    ...decision,
    policies: verdicts.map(({ policy, policyHash, outcome, slsaLevel, attestations, validUntil }) => ({
      policy,
      policyHash,
      outcome,
      slsaLevel,
      attestations,
      validUntil: validUntil === undefined ? null : new Date(validUntil).toISOString(),
    })),
    asOf,
    validUntil: validUntil === null ? null : new Date(validUntil).toISOString(),
  };
}
