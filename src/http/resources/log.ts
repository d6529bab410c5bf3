import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { Vouchsafe } from "../../services/context.ts";
import { readCheckpoint } from "../../services/log/read-log.ts";
import { readTile } from "../../services/log/read-tile.ts";
import { accepts } from "../accept.ts";
import type { App } from "../app.ts";
import { answers, bytesOf, textOf } from "../openapi.ts";

const TEXT = "text/plain; charset=utf-8";
const BYTES = "application/octet-stream";
/** What a path of the tree names never changes: a year, which is how caches are told for ever (RFC 8246). */
const FOR_EVER = "public, max-age=31536000, immutable";
const GZIP: ReadonlySet<string> = new Set(["gzip"]);

const compress = promisify(gzip);
const TilePart = Type.String({
  description: "<N>[.p/<W>], e.g. x001/x234/067 or 273.p/112 (C2SP tlog-tiles); its slashes are not escaped",
  examples: ["000.p/1"],
});

/**
 * What anybody may know of the log, as C2SP tlog-tiles serves it under the prefix `/log`: nothing in it names a
 * project, an artifact or a caller.
 */
export function logRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/log/checkpoint",
    {
      config: { access: "public" },
      schema: {
        summary: "The newest checkpoint: a C2SP signed note, with the cosignatures of the log's witnesses",
        ...answers({ 200: textOf("text/plain", "The signed note") }),
      },
    },
    async (_request, reply) => {
      const { note, witnessed } = await readCheckpoint(v);
      if (witnessed !== undefined) reply.header("vouchsafe-witnessed", String(witnessed));
      return reply.type(TEXT).send(note);
    },
  );

  app.get(
    "/log/tile/:level/*",
    {
      config: { access: "public" },
      schema: {
        summary: "A tile of the tree: up to 256 hashes of a level (C2SP tlog-tiles)",
        params: Type.Object({
          level: Type.String({ description: "<L>, 0 to 63", examples: ["0"] }),
          "*": TilePart,
        }),
        ...answers({ 200: bytesOf(BYTES, "Hashes of 32 bytes, one after the other") }),
      },
    },
    async (request, reply) => sendForEver(reply, await readTile(v, tilePath(request))),
  );

  app.get(
    "/log/tile/entries/*",
    {
      config: { access: "public" },
      schema: {
        summary:
          "Up to 256 entries of the log, each after its length: what a tile of level 0 has the hashes of",
        params: Type.Object({ "*": TilePart }),
        ...answers({ 200: bytesOf(BYTES, "Entries, each after its length in two bytes") }),
      },
    },
    async (request, reply) => {
      const bundle = await readTile(v, tilePath(request));
      reply.header("vary", "accept-encoding");
      if (!accepts(request.headers["accept-encoding"], GZIP)) return sendForEver(reply, bundle);
      return sendForEver(reply.header("content-encoding", "gzip"), await compress(bundle));
    },
  );
}

/** By the path as it was sent: decoded, a tile would have many names, and a cache would keep it under each. */
function tilePath({ url }: FastifyRequest): string {
  const [path = ""] = url.split("?", 1);
  return path.slice("/log/tile/".length);
}

function sendForEver(reply: FastifyReply, bytes: Uint8Array): FastifyReply {
  return reply
    .header("cache-control", FOR_EVER)
    .type(BYTES)
    .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
