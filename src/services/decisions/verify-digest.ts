import { decide, denyStale } from "../../decisions/decide.ts";
import type { View } from "../../decisions/projection.ts";
import { type Answer, answerOf, keepAnswer, keptAnswer, outcomeOf } from "../../decisions/written-answer.ts";
import { VouchsafeError } from "../../errors.ts";
import { groundsAllow, parseDigest } from "../../in-toto-attestation/digest.ts";
import { type Caller, policiesFor } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { needsEvaluation } from "./evaluate-artifacts.ts";
import { reevaluate } from "./reevaluate.ts";

export interface DigestQuestion {
  /** `algorithm:hex` */
  readonly digest: string;
  /** One policy to decide by, where the caller may choose. */
  readonly policy?: string | undefined;
  /** Log size that the answer must know of, e.g. that of a receipt just got. */
  readonly minSize?: number | undefined;
}

/** A decision as the API gives it. */
export interface DigestAnswer extends Answer {
  /** The log size that the decision knows of. */
  readonly asOf: number;
}

/** The same as JSON. */
export interface DigestAnswerText {
  readonly asOf: number;
  readonly json: string;
}

/** How long a question that asks for some log size waits for it, in milliseconds. */
const CATCH_UP = 2_000;

/**
 * Answers whether a digest is allowed now. From memory where the projection has it; a verdict that is missing, outdated
 * or at its end is evaluated first, so that an edit of policy or trust never denies longer than it takes to ask. A node
 * that has lost sight of the log denies.
 *
 * @throws VouchsafeError `unsupported-digest-algorithm`; `policy-not-allowed`; `stale` when the log's `minSize` is not reached in two seconds
 */
export async function verifyDigest(
  v: Vouchsafe,
  caller: Caller,
  question: DigestQuestion,
): Promise<DigestAnswer> {
  return JSON.parse((await verifyDigestText(v, caller, question)).json);
}

/**
 * The answer to a question, where it was given before and still holds: most are, and wait for nothing. It is what
 * `verifyDigest` would say, and it throws what that throws at once.
 */
export function recallDecision(
  v: Vouchsafe,
  caller: Caller,
  question: DigestQuestion,
): DigestAnswerText | undefined {
  const { digest, policies } = readQuestion(caller, question);
  const { minSize = 0 } = question;
  if (v.projection.size < minSize || isStale(v)) return undefined;
  const view = v.projection.recall(caller.project, digest);
  return view && keptText(v, view, policies);
}

/** `verifyDigest` for one who only passes the answer on: what was written before is not written again. */
export async function verifyDigestText(
  v: Vouchsafe,
  caller: Caller,
  question: DigestQuestion,
): Promise<DigestAnswerText> {
  const { projection } = v;
  const { digest, policies } = readQuestion(caller, question);
  if (question.minSize !== undefined) await projection.caughtUp(question.minSize, CATCH_UP);
  if (isStale(v)) {
    const denied = answerOf(denyStale(digest));
    v.metrics.decided(outcomeOf(denied), false);
    return textOf(projection.size, JSON.stringify(denied));
  }

  let view = await projection.look(caller.project, digest);
  const kept = keptText(v, view, policies);
  if (kept !== undefined) return kept;

  if (isUnjudged(view, policies, v.clock())) {
    await reevaluate(v, caller.project, [digest], policies);
    // Another node may have done so before: it then confirmed verdicts, which no event tells of.
    projection.forget(caller.project, digest);
    view = await projection.look(caller.project, digest);
  }
  const now = v.clock();
  const { artifact, inForce, asOf } = view;
  const answer = answerOf(decide({ digest, policies, inForce, ...artifact.state }, now));
  const decided = { json: JSON.stringify(answer), outcome: outcomeOf(answer) };
  v.metrics.decided(decided.outcome, false);
  // What changed while it was judged is judged when the question comes again, and must not be answered from memory.
  if (!isUnjudged(view, policies, now)) keepAnswer(view, policies, now, decided);
  return textOf(asOf, decided.json);
}

function readQuestion(caller: Caller, question: DigestQuestion) {
  const digest = parseDigest(question.digest);
  if (!groundsAllow(digest)) {
    throw new VouchsafeError("unsupported-digest-algorithm", "Ask by a sha256, sha384 or sha512 digest");
  }
  return { digest, policies: policiesFor(caller, question.policy) };
}

function isStale({ projection, config }: Vouchsafe): boolean {
  return projection.staleness() > config.maxStaleness;
}

function keptText(v: Vouchsafe, view: View, policies: readonly string[]): DigestAnswerText | undefined {
  const kept = keptAnswer(view, policies, v.clock());
  if (kept === undefined) return undefined;
  v.metrics.decided(kept.outcome, true);
  return textOf(view.asOf, kept.json);
}

/** Whether there is evidence that a policy has not judged as it stands at `now`. */
function isUnjudged(
  { artifact: { state }, inForce }: View,
  policies: readonly string[],
  now: number,
): boolean {
  return state.hasEvidence && needsEvaluation(state.verdicts, policies, inForce, now);
}

/** The log size moves on while the answer stays, so it is added to what is kept. */
export function textOf(asOf: number, answer: string): DigestAnswerText {
  return { asOf, json: `{"asOf":${asOf},${answer.slice(1)}` };
}
