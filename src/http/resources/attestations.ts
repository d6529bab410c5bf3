import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { VouchsafeError } from "../../errors.ts";
import type { Vouchsafe } from "../../services/context.ts";
import { pushAttestation } from "../../services/evidence/push-attestation.ts";
import { pushSeveral } from "../../services/evidence/push-several.ts";
import { readEvidence } from "../../services/evidence/read-attestation.ts";
import { unpackUpload } from "../../services/evidence/unpack-upload.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { takeBytes } from "../bodies.ts";
import { answers, bytesOf } from "../openapi.ts";
import { AttestationSummary, closed, Digest, named, Problem, Receipt, VerdictSummary } from "../schemas.ts";
import { itemResult } from "./item-results.ts";

/** One document: a piece of evidence, or a container of several. The document itself says which, and of which format. */
const ONE = [
  "application/json",
  "application/vnd.dev.sigstore.bundle+json",
  "application/vnd.dev.sigstore.bundle.v0.3+json",
  "application/vnd.dsse.envelope.v1+json",
  "application/vnd.in-toto+json",
  "application/vnd.oci.descriptor.v1+json",
  "application/vnd.pypi.attestation.v1+json",
  "application/vnd.pypi.integrity.v1+json",
];
/** JSON Lines: an item a line. */
const LINES: readonly string[] = ["application/jsonl", "application/x-ndjson", "application/json-lines"];

/** Bodies of the largest size that are taken at once; of usual evidence (10 kB) that is many thousands. */
const LARGEST_AT_ONCE = 16;

const Pushed = named(
  "Pushed",
  closed({
    attestation: AttestationSummary,
    receipt: Receipt,
    verdicts: Type.Array(VerdictSummary, { description: "the verdicts that this evidence changed" }),
  }),
);

const ItemResults = named(
  "ItemResults",
  closed({
    results: Type.Array(
      closed({
        item: Type.Integer({ minimum: 1, description: "counted from 1, empty lines left out" }),
        status: Type.Enum(["accepted", "known", "refused"]),
        attestation: Type.Optional(AttestationSummary),
        receipt: Type.Optional(Receipt),
        verdicts: Type.Optional(Type.Array(VerdictSummary)),
        problem: Type.Optional(Problem),
      }),
    ),
  }),
);

export function attestationRoutes(app: App, v: Vouchsafe): void {
  const evidenceScope: FastifyPluginAsyncTypebox = async (scope) => takeEvidence(scope, v);
  app.register(evidenceScope);

  app.get(
    "/attestations/:id",
    {
      config: { access: ["uploader", "issuer", "auditor", "operator", "approver"] },
      schema: {
        summary: "The evidence, byte for byte as it was received",
        params: closed({ id: Digest }),
        ...answers({ 200: bytesOf("*/*", "The evidence's bytes, under its own media type") }),
      },
    },
    async (request, reply) => {
      const { mediaType, bytes } = await readEvidence(v, callerOf(request), request.params.id);
      reply.header("cache-control", "private, max-age=31536000, immutable");
      return reply.type(mediaType).send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    },
  );
}

/** In a scope of its own, because here bodies are evidence: bytes that must never be parsed and written again. */
function takeEvidence(app: App, v: Vouchsafe): void {
  const { maxBody } = v.config;
  takeBytes(app, [...ONE, ...LINES], { body: maxBody, underWay: LARGEST_AT_ONCE * maxBody });
  app.post(
    "/attestations",
    {
      bodyLimit: maxBody,
      config: { costs: "write", access: ["uploader", "operator"] },
      schema: {
        summary: "Push evidence: verified, recorded in the custody log, answered with a receipt and verdicts",
        consumes: [...ONE, ...LINES],
        body: Type.Unknown({
          description:
            "A Sigstore bundle, DSSE envelope, PyPI attestation, bundle of cosign's own or layer of a cosign attestation; a registry's " +
            "answer that holds several; or up to 1,000 lines of the former",
        }),
        ...answers({
          200: Pushed,
          201: Type.Union([Pushed, ItemResults]),
          207: ItemResults,
        }),
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const mediaType = request.mediaType ?? "";
      if (!(request.body instanceof Uint8Array)) {
        throw new VouchsafeError("unsupported-media-type", `Send one of ${[...ONE, ...LINES].join(", ")}`);
      }
      const framing = LINES.includes(mediaType) ? "lines" : "document";
      const several = await unpackUpload(v, caller, request.body, framing);
      if (several !== undefined) {
        const pushed = await pushSeveral(v, caller, several);
        const results = pushed.map((one, index) => ({ item: index + 1, ...itemResult(one, request) }));
        return reply.code(results.some(({ status }) => status === "refused") ? 207 : 201).send({ results });
      }
      const { created, ...pushed } = await pushAttestation(v, caller, { bytes: request.body });
      return reply.code(created ? 201 : 200).send(pushed);
    },
  );
}
