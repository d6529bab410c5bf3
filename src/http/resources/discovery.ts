import { Type } from "typebox";
import { VouchsafeError } from "../../errors.ts";
import type { Vouchsafe } from "../../services/context.ts";
import { type DiscoveredItem, discoverEvidence } from "../../services/evidence/discover-evidence.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import { loggedProblem } from "../problems.ts";
import { createQuota } from "../quota.ts";
import { AttestationSummary, closed, Digest, line, Problem, Receipt, VerdictSummary } from "../schemas.ts";
import { itemResult } from "./item-results.ts";
import { RecordedManifest } from "./manifests.ts";

const MINUTE = 60_000;
/** Searches of a project in a minute: each may be a hundred questions to others. */
const MOST_SEARCHES = 60;
const MOST_SOURCES = 8;
const MAX_REFERENCE = 1024;

const Searched = closed({
  sources: Type.Array(
    closed({
      source: Type.String({ description: "as it was asked for" }),
      results: Type.Array(
        closed({
          from: Type.String({ description: "where the piece was" }),
          status: Type.Enum(["accepted", "known", "refused"]),
          attestation: Type.Optional(AttestationSummary),
          receipt: Type.Optional(Receipt),
          verdicts: Type.Optional(Type.Array(VerdictSummary)),
          manifest: Type.Optional(RecordedManifest),
          problem: Type.Optional(Problem),
        }),
      ),
      problem: Type.Optional(Problem),
    }),
  ),
});

export function discoveryRoutes(app: App, v: Vouchsafe): void {
  const secondsToWait = createQuota({ max: MOST_SEARCHES, window: MINUTE, clock: () => performance.now() });

  app.post(
    "/artifacts/:digest/discover",
    {
      config: { costs: "write", access: ["uploader", "operator"] },
      schema: {
        summary:
          "Look for evidence about an artifact in other registries, and take what is found as if it were pushed",
        params: closed({ digest: Digest }),
        body: closed({
          from: Type.Array(line(MAX_REFERENCE), {
            minItems: 1,
            maxItems: MOST_SOURCES,
            description:
              "Where to look: oci://HOST/REPOSITORY[:TAG][@DIGEST], npm:NAME@VERSION, pypi:PROJECT@VERSION, github:OWNER[/REPOSITORY]",
          }),
        }),
        ...answers({ 200: Searched, 207: Searched }),
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const retryAfter = secondsToWait(caller.project);
      if (retryAfter > 0) {
        const message = `More than ${MOST_SEARCHES} searches in a minute; wait ${retryAfter} seconds`;
        throw new VouchsafeError("rate-limited", message, { extensions: { retryAfter } });
      }
      const { digest } = request.params;
      const searched = await discoverEvidence(v, caller, { digest, ...request.body });
      const resultOf = ({ from, ...item }: DiscoveredItem) => {
        if (item.case !== "recorded") return { from, ...itemResult(item, request) };
        const { created, ...manifest } = item.manifest;
        return { from, status: created ? "accepted" : "known", manifest };
      };
      const sources = searched.map(({ source, items, error }) => ({
        source,
        results: items.map(resultOf),
        ...(error !== undefined && { problem: loggedProblem(error, request) }),
      }));
      const isWhole = searched.every(
        ({ items, error }) => error === undefined && items.every((item) => item.case !== "refused"),
      );
      return reply.code(isWhole ? 200 : 207).send({ sources });
    },
  );
}
