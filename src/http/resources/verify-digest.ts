import { Type } from "typebox";
import { VouchsafeError } from "../../errors.ts";
import { createFairShares } from "../../fair-shares.ts";
import type { Caller } from "../../services/caller.ts";
import type { Vouchsafe } from "../../services/context.ts";
import { issueSummary } from "../../services/decisions/issue-summary.ts";
import { verifyDigestText } from "../../services/decisions/verify-digest.ts";
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
 * Questions under way at once of a project while no other has any: most are answered from memory, and those that are not wait
 * for the database, or for a log size that they name. Projects share a node fairly, or the questions of one that names sizes
 * to come would deny all that others ask.
 */
const AT_ONCE = 4_096;

export function verifyDigestRoutes(app: App, v: Vouchsafe): void {
  const shares = createFairShares({ alone: AT_ONCE });
  const begin = ({ project }: Caller, questions: number): (() => void) => {
    const end = shares.take(project, undefined, questions);
    if (typeof end === "function") return end;
    throw new VouchsafeError("unavailable", "Too many questions are under way; try again shortly", {
      extensions: { retryAfter: 1 },
    });
  };

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
    async (request, reply) => {
      const { minSize, ...rest } = request.query;
      const question = { ...rest, ...(minSize !== undefined && { minSize: Number(minSize) }) };
      const caller = callerOf(request);
      const end = begin(caller, 1);
      try {
        if (asksForSummary(request.headers.accept)) {
          const answer = await issueSummary(v, caller, question);
          reply.header(LOG_SIZE_HEADER, answer.asOf);
          if (answer.case === "denied") return reply.type(JSON_TYPE).send(answer.json);
          return reply.type(ENVELOPE_TYPE).send(Buffer.from(answer.envelope));
        }
        const { asOf, json } = await verifyDigestText(v, caller, question);
        reply.header(LOG_SIZE_HEADER, asOf).type(JSON_TYPE);
        return json;
      } finally {
        end();
      }
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
      const end = begin(caller, asked.length);
      const decisions = await Promise.all(
        asked.map((one) => verifyDigestText(v, caller, { digest: one, ...rest })),
      ).finally(end);
      reply.header(LOG_SIZE_HEADER, Math.min(...decisions.map(({ asOf }) => asOf)));
      const texts = decisions.map(({ json }) => json).join(",");
      reply.type(JSON_TYPE);
      return digests === undefined ? texts : `{"decisions":[${texts}]}`;
    },
  );
}
