import { ApiError } from "../client/api-error.ts";
import { createClient } from "../client/client.ts";
import type { TransportOptions } from "../client/transport.ts";
import { answerOf, answerWithout, type FailMode } from "./answer.ts";
import type { PolicyOf } from "./policies.ts";
import { questionOf } from "./question.ts";
import type { AdmissionAnswer, AdmissionRequest } from "./review.ts";

export interface Admission {
  /** The Vouchsafe server, and what is shown to it. */
  readonly server: Pick<TransportOptions, "server" | "token">;
  readonly policyOf: PolicyOf;
  readonly fail: FailMode;
}

/**
 * What a server or the way to it may recover from. Everything else is a mistake in how the webhook is set up, and never lets anything in;
 * nor does `rate-limited`: whoever may create Pods brings that about by trying often.
 */
const OUTAGES: ReadonlySet<string> = new Set(["unreachable", "unavailable", "stale", "internal"]);

/**
 * Answers whether an object may be created or changed: allowed are images that are named by digest and that the server allows now.
 * Nothing is recorded, so a dry run is answered as any other. Nothing is remembered: the server answers from memory, and a quarantine
 * counts at once.
 *
 * @param budget milliseconds that the answer may take, a whole number
 */
export async function admit(
  { server, policyOf, fail }: Admission,
  request: AdmissionRequest,
  budget: number,
): Promise<AdmissionAnswer> {
  const question = questionOf(request);
  if (question.case === "deny")
    return { allowed: false, message: question.message, auditAnnotations: { decision: "deny" } };
  if (question.case === "allow") return { allowed: true, auditAnnotations: { decision: question.why } };
  const { images } = question;
  const policy = policyOf(request.namespace);
  try {
    const client = createClient({
      ...server,
      timeout: budget,
      retries: 1,
      signal: AbortSignal.timeout(budget),
    });
    const decisions = await client.verifyDigests([...images.keys()], policy === undefined ? {} : { policy });
    return answerOf(images, decisions) ?? answerWithout(fail, "the server has lost sight of its log");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (error instanceof ApiError && OUTAGES.has(error.code)) return answerWithout(fail, why);
    return answerWithout("closed", why);
  }
}
