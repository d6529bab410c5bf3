import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { VouchsafeError } from "../../errors.ts";
import { MANIFEST_TYPES, MAX_MANIFEST } from "../../oci/manifest.ts";
import type { Vouchsafe } from "../../services/context.ts";
import { recordContainment } from "../../services/evidence/record-containment.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { takeBytes } from "../bodies.ts";
import { answers } from "../openapi.ts";
import { closed, Receipt } from "../schemas.ts";

/** Manifests are some kilobytes: of the largest that are taken, so many at once. */
const LARGEST_AT_ONCE = 16;
/** The manifest says itself which of these it is. */
const TAKEN = ["application/json", ...MANIFEST_TYPES];

export const RecordedManifest = closed({
  digest: Type.String({ description: "sha256 of the bytes: what registries name the index or the image by" }),
  mediaType: Type.String(),
  contains: Type.Array(Type.String(), { description: "the digests that it names as its parts, sorted" }),
  receipt: Receipt,
});

export function manifestRoutes(app: App, v: Vouchsafe): void {
  const manifestScope: FastifyPluginAsyncTypebox = async (scope) => takeManifests(scope, v);
  app.register(manifestScope);
}

/** In a scope of its own, because here bodies are bytes: they have the digest that they were pushed to a registry with. */
function takeManifests(app: App, v: Vouchsafe): void {
  takeBytes(app, TAKEN, { body: MAX_MANIFEST, underWay: LARGEST_AT_ONCE * MAX_MANIFEST });
  app.post(
    "/manifests",
    {
      bodyLimit: MAX_MANIFEST,
      config: { costs: "write", access: ["uploader", "operator"] },
      schema: {
        summary:
          "Record what an image index or image manifest contains: what its digest passes, its parts may pass",
        consumes: TAKEN,
        body: Type.Unknown({
          description:
            "OCI image index or manifest, or Docker manifest list or manifest (v2, schema 2), byte for byte",
        }),
        ...answers({ 200: RecordedManifest, 201: RecordedManifest }),
      },
    },
    async (request, reply) => {
      if (!(request.body instanceof Uint8Array)) {
        throw new VouchsafeError("unsupported-media-type", `Send one of ${TAKEN.join(", ")}`);
      }
      const { created, ...recorded } = await recordContainment(v, callerOf(request), request.body);
      return reply.code(created ? 201 : 200).send(recorded);
    },
  );
}
