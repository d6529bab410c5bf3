/**
 * Reads a log as C2SP tlog-tiles describes it, from the specification and not from src/: what is fetched, and how
 * it is taken apart, is written down here once more.
 */
import assert from "node:assert/strict";
import type { LightMyRequestResponse } from "fastify";
import type { App } from "../../src/http/app.ts";
import { turn } from "./node.ts";

export interface TlogClient {
  get(path: string): Promise<LightMyRequestResponse>;
  /** The bytes at a path that must be there. */
  bytes(path: string): Promise<Buffer>;
  checkpoint(): Promise<{ origin: string; size: number; root: Buffer }>;
  /** All entries of a tree of this size, from bundles; the last may be partial. */
  entries(size: number): Promise<Buffer[]>;
}

export function tlogClient(app: App): TlogClient {
  const get: TlogClient["get"] = async (path) => {
    await turn();
    return app.inject(`/log/${path}`);
  };
  const bytes: TlogClient["bytes"] = async (path) => {
    const answer = await get(path);
    assert.equal(answer.statusCode, 200, `${path}: ${answer.body}`);
    return answer.rawPayload;
  };
  return {
    get,
    bytes,
    async checkpoint() {
      const [origin = "", size = "", root = ""] = (await bytes("checkpoint")).toString().split("\n");
      return { origin, size: Number(size), root: Buffer.from(root, "base64") };
    },
    async entries(size) {
      const all: Buffer[] = [];
      for (const { index, width } of tilesOf(0, size)) {
        const entries = takeApart(await bytes(`tile/entries/${indexPath(index, width)}`));
        assert.equal(entries.length, width);
        all.push(...entries);
      }
      return all;
    },
  };
}

/** The tiles that a tree of this size has on a level: full ones, and at most one that is partial. */
export function tilesOf(level: number, size: number): { index: number; width: number }[] {
  const hashes = Math.floor(size / 256 ** level);
  const tiles = Array.from({ length: Math.floor(hashes / 256) }, (_, index) => ({ index, width: 256 }));
  return hashes % 256 === 0 ? tiles : [...tiles, { index: tiles.length, width: hashes % 256 }];
}

/** `<N>[.p/<W>]` */
export function indexPath(index: number, width: number): string {
  let path = String(index % 1000).padStart(3, "0");
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    path = `x${String(rest % 1000).padStart(3, "0")}/${path}`;
  }
  return width === 256 ? path : `${path}.p/${width}`;
}

/** Entries of a bundle, which must end with the last of them. */
export function takeApart(bundle: Buffer): Buffer[] {
  const entries: Buffer[] = [];
  for (let at = 0; at < bundle.length; ) {
    const end = at + 2 + bundle.readUInt16BE(at);
    assert.ok(end <= bundle.length, "the bundle ends within an entry");
    entries.push(bundle.subarray(at + 2, end));
    at = end;
  }
  return entries;
}
