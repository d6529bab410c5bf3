import { decide, denyStale } from "../decisions/decide.ts";
import type { View } from "../decisions/projection.ts";
import {
  type Answer,
  keepAnswer,
  keptAnswer,
  type WrittenAnswer,
  write,
} from "../decisions/written-answer.ts";
import { VouchsafeError } from "../errors.ts";
import { groundsAllow, parseDigest } from "../in-toto-attestation/digest.ts";
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
export interface DigestAnswer extends Answer {
  /** The log size that the decision knows of. */
  readonly asOf: number;
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
  const { asOf, written } = await answerTo(v, caller, question);
  return { asOf, ...written.answer };
}

/** `verifyDigest` as JSON, for one who only passes it on: what was written before is not written again. */
export async function verifyDigestJson(
  v: Vouchsafe,
  caller: Caller,
  question: DigestQuestion,
): Promise<{ readonly asOf: number; readonly json: string }> {
  const { asOf, written } = await answerTo(v, caller, question);
  return { asOf, json: `{"asOf":${asOf},${written.json.slice(1)}` };
}

async function answerTo(
  v: Vouchsafe,
  caller: Caller,
  question: DigestQuestion,
): Promise<{ readonly asOf: number; readonly written: WrittenAnswer }> {
  const { projection } = v;
  const digest = parseDigest(question.digest);
  if (!groundsAllow(digest)) {
    throw new VouchsafeError("unsupported-digest-algorithm", "Ask by a sha256, sha384 or sha512 digest");
  }
  const policies = policiesFor(caller, question.policy);
  if (question.minSize !== undefined) await projection.caughtUp(question.minSize, CATCH_UP);
  if (projection.staleness() > v.config.maxStaleness) {
    return { asOf: projection.size, written: write(denyStale(digest)) };
  }

  let view = await projection.look(caller.project, digest);
  const kept = keptAnswer(view, policies, v.clock());
  if (kept !== undefined) return { asOf: view.asOf, written: kept };

  if (isUnjudged(view, policies)) {
    await reevaluate(v, caller.project, [digest], policies);
    // Another node may have done so before: it then confirmed verdicts, which no event tells of.
    projection.forget(caller.project, digest);
    view = await projection.look(caller.project, digest);
  }
  const now = v.clock();
  const written = write(decide({ digest, policies, inForce: view.inForce, ...view.state }, now));
  // What changed while it was judged is judged when the question comes again, and must not be answered from memory.
  if (!isUnjudged(view, policies)) keepAnswer(view, policies, now, written);
  return { asOf: view.asOf, written };
}

/** Whether there is evidence that a policy has not judged as it now stands. */
function isUnjudged({ state, inForce }: View, policies: readonly string[]): boolean {
  return state.hasEvidence && needsEvaluation(state.verdicts, policies, inForce);
}
