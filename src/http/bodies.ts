import type { FastifyInstance } from "fastify";
import { VouchsafeError } from "../errors.ts";
import { parseJson } from "../in-toto-attestation/json.ts";

/**
 * Bodies are strict JSON (one meaning to every reader: no duplicate members, bounded nesting) and of no other
 * media type. Content codings are refused: a compressed body says nothing of the size that it unfolds to.
 */
export function takeStrictJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "application/json",
    { parseAs: "buffer" },
    async (_request: unknown, body: Buffer) => parseJson(body),
  );
  app.addHook("onRequest", async (request) => {
    const coding = request.headers["content-encoding"];
    if (coding !== undefined && coding.toLowerCase() !== "identity") {
      throw new VouchsafeError("unsupported-media-type", "Send the body without a Content-Encoding");
    }
  });
}

/** In this scope bodies of the media types are bytes, kept exactly as they arrived, and of no other type. */
export function takeBytes(app: FastifyInstance, mediaTypes: readonly string[], bodyLimit: number): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    [...mediaTypes],
    { parseAs: "buffer", bodyLimit },
    async (_request: unknown, body: Buffer) => body,
  );
}
