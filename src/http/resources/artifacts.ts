import { Type } from "typebox";
import { VouchsafeError } from "../../errors.ts";
import type { Vouchsafe } from "../../services/context.ts";
import { findArtifacts, readArtifact } from "../../services/decisions/find-artifacts.ts";
import type { App } from "../app.ts";
import { type Access, callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import {
  Approval,
  ArtifactVerdict,
  AttestationSummary,
  closed,
  Digest,
  Exception,
  line,
  nullable,
  PAGE,
} from "../schemas.ts";
import { Quarantine } from "./quarantines.ts";

const READERS: Access = ["uploader", "issuer", "auditor", "operator", "approver"];
const DEFAULT_PAGE = 50;
const Filter = line(2048);

export function artifactRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/artifacts",
    {
      config: { access: READERS },
      schema: {
        summary: "Artifacts that verified evidence is about, by source repository, commit or signer",
        querystring: closed({
          repository: Type.Optional(
            Object.assign(line(2048), { examples: ["https://github.com/acme/widget"] }),
          ),
          commit: Type.Optional(Filter),
          signer: Type.Optional(Filter),
          ...PAGE,
        }),
        ...answers({
          200: closed({
            artifacts: Type.Array(
              closed({
                digest: Type.String(),
                name: Type.Optional(Type.String()),
                attestations: Type.Array(AttestationSummary),
              }),
            ),
            next: nullable(Type.String()),
          }),
        }),
      },
    },
    async (request) => {
      const { limit, after, ...conditions } = request.query;
      if (Object.keys(conditions).length === 0) {
        throw new VouchsafeError("invalid-request", "Say which: repository, commit or signer");
      }
      return findArtifacts(v, callerOf(request), {
        ...conditions,
        limit: limit === undefined ? DEFAULT_PAGE : Number(limit),
        ...(after !== undefined && { after }),
      });
    },
  );

  app.get(
    "/artifacts/:digest",
    {
      config: { access: READERS },
      schema: {
        summary: "What is known of an artifact",
        params: closed({ digest: Digest }),
        ...answers({
          200: closed({
            digest: Type.String(),
            names: Type.Array(Type.String()),
            attestations: Type.Array(AttestationSummary),
            verdicts: Type.Array(ArtifactVerdict),
            quarantines: Type.Array(Quarantine),
            approvals: Type.Array(Approval),
            exceptions: Type.Array(Exception),
            contains: Type.Array(Type.String(), { description: "what its own manifest names, in its order" }),
            containedIn: Type.Array(Type.String(), { description: "the artifacts whose manifests name it" }),
          }),
        }),
      },
    },
    async (request) => readArtifact(v, callerOf(request), request.params.digest),
  );
}
