import { leafHash } from "../../src/tlog/hash.ts";
import type { LogEntry } from "../../src/verify/signed-evidence.ts";
import { canonicalBody } from "./rekor-entry.ts";
import { createRekorLog, type RekorLog } from "./rekor-log.ts";
import { type Reply, type Service, serve } from "./service.ts";

/** A transparency log that speaks Rekor's v1 API: one shard, in memory, with a key of its own. */
export interface Rekor extends Service {
  /** SPKI, DER. */
  readonly publicKey: Buffer;
  readonly logId: Buffer;
}

const ENTRIES = "/api/v1/log/entries";

export async function startRekor(now: () => number): Promise<Rekor> {
  const entries = new Map<string, object>();

  async function add(log: RekorLog, proposed: string): Promise<Reply> {
    let body: Uint8Array;
    try {
      body = canonicalBody(JSON.parse(proposed));
    } catch (error) {
      return json(400, { code: 400, message: String(error) });
    }
    const uuid = hex(leafHash(body));
    const location = `${ENTRIES}/${uuid}`;
    if (entries.has(uuid)) return { ...json(409, { code: 409, message: "entry exists" }), location };
    const [entry] = log.enter([body]);
    const answer = { [uuid]: entry && answerOf(entry) };
    entries.set(uuid, answer);
    return { ...json(201, answer), location };
  }

  const service = await serve((method, path, body) => {
    if (method === "POST" && path === ENTRIES) return add(log, body);
    const known = method === "GET" ? entries.get(path.slice(ENTRIES.length + 1)) : undefined;
    return known === undefined ? undefined : Promise.resolve(json(200, known));
  });
  const log = createRekorLog({ name: new URL(service.url).host, version: 1, now });
  return { ...service, publicKey: log.publicKey, logId: log.logId };
}

/** An entry as Rekor's v1 API answers with it: hashes in hex, and the promise in base64. */
function answerOf({ body, integratedTime, logId, logIndex, signedEntryTimestamp, proof }: LogEntry) {
  return {
    body: Buffer.from(body).toString("base64"),
    integratedTime,
    logID: logId,
    logIndex,
    verification: {
      signedEntryTimestamp: Buffer.from(signedEntryTimestamp ?? []).toString("base64"),
      inclusionProof: proof && {
        logIndex: proof.leafIndex,
        treeSize: proof.treeSize,
        rootHash: hex(proof.rootHash),
        hashes: proof.hashes.map(hex),
        checkpoint: proof.checkpoint,
      },
    },
  };
}

function json(statusCode: number, value: object): Reply {
  return { statusCode, response: JSON.stringify(value), contentType: "application/json" };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
