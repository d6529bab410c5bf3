import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import { VouchsafeError } from "../../errors.ts";
import { createFairShares } from "../../fair-shares.ts";
import type { Caller } from "../../services/caller.ts";
import type { Vouchsafe } from "../../services/context.ts";
import { issueSummary } from "../../services/decisions/issue-summary.ts";
import {
  type DigestAnswerText,
  type DigestQuestion,
  recallDecision,
  verifyDigestText,
} from "../../services/decisions/verify-digest.ts";
import type { App } from "../app.ts";
import { type Access, callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import { closed, Digest, LogSize, LogSizeText, PolicyName } from "../schemas.ts";
import { Decision } from "./decision-schemas.ts";
import { asksForSummary, ENVELOPE_TYPE, Envelope } from "./vsa.ts";

const ASKERS: Access = ["issuer", "agent", "operator", "auditor", "uploader"];
/** Names the log size that an answer is as of; of several decisions, the smallest. */
const LOG_SIZE_HEADER = "vouchsafe-log-size";
/** As Fastify writes it for an answer that it serialises itself. */
const JSON_TYPE = "application/json; charset=utf-8";
const MAX_BATCH = 256;

/**
 * Questions that wait, at once, of a project while no other has any: for the database, or for a log size that they name.
 * Projects share a node fairly, or the questions of one that names sizes to come would deny all that others ask.
 */
const AT_ONCE = 4_096;

export function verifyDigestRoutes(app: App, v: Vouchsafe): void {
  const shares = createFairShares({ alone: AT_ONCE });

  /** Has so many questions wait, or refuses them. */
  async function waiting<T>({ project }: Caller, questions: number, answer: () => Promise<T>): Promise<T> {
    const end = shares.take(project, undefined, questions);
    if (typeof end !== "function") {
      throw new VouchsafeError("unavailable", "Too many questions are under way; try again shortly", {
        extensions: { retryAfter: 1 },
      });
    }
    return answer().finally(end);
  }

  async function writeSummary(
    reply: FastifyReply,
    caller: Caller,
    question: DigestQuestion,
  ): Promise<string | Buffer> {
    const answer = await issueSummary(v, caller, question);
    if (answer.case === "denied") return write(reply, answer);
    reply.header(LOG_SIZE_HEADER, answer.asOf).type(ENVELOPE_TYPE);
    return Buffer.from(answer.envelope);
  }

  app.get(
    "/verify-digest",
    {
      config: { costs: "nothing", access: ASKERS },
      schema: {
        summary: "May this digest be trusted now? Allow or deny, with the reasons",
        description: `Issuers and operators who accept ${ENVELOPE_TYPE} or application/vnd.in-toto+json get what is allowed as a signed verification summary; a denial is JSON for them too.`,
        querystring: closed({
          digest: Digest,
          policy: Type.Optional(PolicyName),
          minSize: Type.Optional(LogSizeText),
        }),
        ...answers({
          200: {
            description: "The decision",
            content: { "application/json": { schema: Decision }, [ENVELOPE_TYPE]: { schema: Envelope } },
          },
        }),
      },
    },
    // Not `async`: what is in memory is sent at once.
    (request, reply) => {
      const { digest, policy, minSize } = request.query;
      const question = { digest, policy, minSize: minSize === undefined ? undefined : Number(minSize) };
      const caller = callerOf(request);
      if (asksForSummary(request.headers.accept)) {
        return waiting(caller, 1, () => writeSummary(reply, caller, question));
      }
      const known = recallDecision(v, caller, question);
      if (known !== undefined) return write(reply, known);
      return waiting(caller, 1, async () => write(reply, await verifyDigestText(v, caller, question)));
    },
  );

  app.post(
    "/verify-digest",
    {
      config: { costs: "nothing", access: ASKERS },
      schema: {
        summary: "The same question with a body, of one digest or of up to 256",
        body: closed({
          digest: Type.Optional(Digest),
          digests: Type.Optional(Type.Array(Digest, { minItems: 1, maxItems: MAX_BATCH })),
          policy: Type.Optional(PolicyName),
          minSize: Type.Optional(LogSize),
        }),
        ...answers({ 200: Type.Union([Decision, closed({ decisions: Type.Array(Decision) })]) }),
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { digest, digests, ...rest } = request.body;
      if ((digest === undefined) === (digests === undefined)) {
        throw new VouchsafeError("invalid-request", "Send either digest or digests");
      }
      const asked = digests ?? [digest ?? ""];
      const decisions = await waiting(caller, asked.length, () =>
        Promise.all(asked.map((one) => verifyDigestText(v, caller, { digest: one, ...rest }))),
      );
      reply.header(LOG_SIZE_HEADER, Math.min(...decisions.map(({ asOf }) => asOf)));
      const texts = decisions.map(({ json }) => json).join(",");
      reply.type(JSON_TYPE);
      return digests === undefined ? texts : `{"decisions":[${texts}]}`;
    },
  );
}

function write(reply: FastifyReply, { asOf, json }: DigestAnswerText): string {
  reply.header(LOG_SIZE_HEADER, asOf).type(JSON_TYPE);
  return json;
}
