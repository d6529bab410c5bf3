import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { canonicalJson } from "../../src/in-toto-attestation/json.ts";
import { EMPTY_FRONTIER, type Growth, grow } from "../../src/tlog/frontier.ts";
import { leafHash } from "../../src/tlog/hash.ts";
import { canonicalBody } from "./rekor-entry.ts";
import { type Reply, type Service, serve } from "./service.ts";

/** A transparency log that speaks Rekor's v1 API: one shard, in memory, with a key of its own. */
export interface Rekor extends Service {
  /** SPKI, DER. */
  readonly publicKey: Buffer;
  readonly logId: Buffer;
}

const ENTRIES = "/api/v1/log/entries";
/** Rekor numbers entries through all its shards; inclusion proofs count in one. The two must not be confused. */
const ENTRIES_IN_EARLIER_SHARDS = 4_163_431;
const TREE_ID = "1193050959916656506";

export async function startRekor(now: () => number): Promise<Rekor> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ format: "der", type: "spki" });
  const logId = createHash("sha256").update(spki).digest();
  const signEcdsa = (text: string) => sign("sha256", Buffer.from(text), privateKey);
  let frontier = EMPTY_FRONTIER;
  const entries = new Map<string, object>();
  let host = "";

  async function add(proposed: string): Promise<Reply> {
    let body: Uint8Array;
    try {
      body = canonicalBody(JSON.parse(proposed));
    } catch (error) {
      return json(400, { code: 400, message: String(error) });
    }
    const leaf = leafHash(body);
    const uuid = hex(leaf);
    const location = `${ENTRIES}/${uuid}`;
    if (entries.has(uuid)) return { ...json(409, { code: 409, message: "entry exists" }), location };

    const index = frontier.size;
    const grown = grow(frontier, [leaf]);
    frontier = grown.after;
    const promised = {
      body: Buffer.from(body).toString("base64"),
      integratedTime: Math.floor(now() / 1000),
      logID: logId.toString("hex"),
      logIndex: ENTRIES_IN_EARLIER_SHARDS + index,
    };
    const entry = {
      [uuid]: {
        ...promised,
        verification: {
          signedEntryTimestamp: signEcdsa(canonicalJson(promised)).toString("base64"),
          inclusionProof: {
            logIndex: index,
            treeSize: grown.after.size,
            rootHash: hex(grown.root),
            hashes: grown.inclusionProof(index).map(hex),
            checkpoint: checkpoint(grown),
          },
        },
      },
    };
    entries.set(uuid, entry);
    return { ...json(201, entry), location };
  }

  /** A note as Rekor v1 signs it: ECDSA, with the first bytes of the log id as the key's hint. */
  function checkpoint({ after, root }: Growth): string {
    const note = `${host} - ${TREE_ID}\n${after.size}\n${Buffer.from(root).toString("base64")}\n`;
    const signature = Buffer.concat([logId.subarray(0, 4), signEcdsa(note)]);
    return `${note}\n\u2014 ${host} ${signature.toString("base64")}\n`;
  }

  const service = await serve((method, path, body) => {
    if (method === "POST" && path === ENTRIES) return add(body);
    const known = method === "GET" ? entries.get(path.slice(ENTRIES.length + 1)) : undefined;
    return known === undefined ? undefined : Promise.resolve(json(200, known));
  });
  host = new URL(service.url).host;
  return { ...service, publicKey: spki, logId };
}

function json(statusCode: number, value: object): Reply {
  return { statusCode, response: JSON.stringify(value), contentType: "application/json" };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
