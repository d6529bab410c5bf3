import { generateKeyPairSync, hash, type KeyObject, sign } from "node:crypto";
import { canonicalJson } from "../../src/in-toto-attestation/json.ts";
import { EMPTY_FRONTIER, type Growth, grow } from "../../src/tlog/frontier.ts";
import { leafHash } from "../../src/tlog/hash.ts";
import type { LogAuthority } from "../../src/trust/sigstore-instance.ts";
import { ALWAYS } from "../../src/trust/time-range.ts";
import type { LogEntry } from "../../src/verify/signed-evidence.ts";

/** Rekor numbers entries through all its shards; inclusion proofs count in one. The two must not be confused. */
const ENTRIES_IN_EARLIER_SHARDS = 4_163_431;
const TREE_ID = "1193050959916656506";

/** A real log in memory, with a key of its own, that enters whatever it is given. */
export interface RekorLog {
  /** SPKI, DER. */
  readonly publicKey: Buffer;
  readonly logId: Buffer;
  /** What a verifier knows of it. */
  readonly authority: LogAuthority;
  /** Adds bodies, of the kind that they say; all of them are proven in the tree that has them all. */
  enter(bodies: readonly Uint8Array[], kind?: string): LogEntry[];
  /** A checkpoint's text as a note that this log signed. */
  signCheckpoint(text: string): string;
  /** Signs as the log does. */
  sign(bytes: Uint8Array): Buffer;
}

export interface RekorLogOptions {
  /** Host of its address, and port where there is one. */
  readonly name: string;
  /** Version 1 promises and has shards; version 2 is one log of tiles, and gives neither promises nor times. */
  readonly version: 1 | 2;
  /** By default what each version has in public: P-256 for 1, Ed25519 for 2. */
  readonly key?: "ec" | "ed25519" | "rsa";
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export function createRekorLog({ name, version, key, now = Date.now }: RekorLogOptions): RekorLog {
  const { privateKey, publicKey } = generateKey(key ?? (version === 1 ? "ec" : "ed25519"));
  const spki = publicKey.export({ format: "der", type: "spki" });
  const logId = logIdOf(name, version, publicKey, spki);
  const algorithm = privateKey.asymmetricKeyType === "ed25519" ? null : "sha256";
  const signBytes = (bytes: Uint8Array) => sign(algorithm, bytes, privateKey);
  let frontier = EMPTY_FRONTIER;

  /** The first bytes of the log id are the key's hint. */
  function signCheckpoint(text: string): string {
    const signature = Buffer.concat([logId.subarray(0, 4), signBytes(Buffer.from(text))]);
    return `${text}\n— ${name} ${signature.toString("base64")}\n`;
  }

  function enter(bodies: readonly Uint8Array[], kind?: string): LogEntry[] {
    const first = frontier.size;
    const grown = grow(frontier, bodies.map(leafHash));
    frontier = grown.after;
    const checkpoint = signCheckpoint(checkpointText(grown));
    return bodies.map((body, i) => {
      const entry = {
        logId: logId.toString("hex"),
        kind: kind ?? kindOf(body),
        body,
        proof: {
          leafIndex: first + i,
          treeSize: grown.after.size,
          rootHash: grown.root,
          hashes: grown.inclusionProof(first + i),
          checkpoint,
        },
      };
      if (version === 2) return { ...entry, logIndex: first + i };
      const promised = {
        integratedTime: Math.floor(now() / 1000),
        logIndex: ENTRIES_IN_EARLIER_SHARDS + first + i,
      };
      const text = canonicalJson({
        ...promised,
        body: Buffer.from(body).toString("base64"),
        logID: entry.logId,
      });
      return { ...entry, ...promised, signedEntryTimestamp: signBytes(Buffer.from(text)) };
    });
  }

  function checkpointText({ after, root }: Growth): string {
    const origin = version === 1 ? `${name} - ${TREE_ID}` : name;
    return `${origin}\n${after.size}\n${Buffer.from(root).toString("base64")}\n`;
  }

  return {
    publicKey: spki,
    logId,
    authority: {
      logId: logId.toString("hex"),
      publicKey,
      spki,
      operator: name,
      origin: name,
      validFor: ALWAYS,
    },
    enter,
    signCheckpoint,
    sign: signBytes,
  };
}

function generateKey(kind: "ec" | "ed25519" | "rsa"): { privateKey: KeyObject; publicKey: KeyObject } {
  if (kind === "ec") return generateKeyPairSync("ec", { namedCurve: "P-256" });
  return kind === "rsa"
    ? generateKeyPairSync("rsa", { modulusLength: 2048 })
    : generateKeyPairSync("ed25519");
}

/** Rekor v1: hash of the key. v2: hash of name, signature type and key, as signed notes name Ed25519 keys. */
function logIdOf(name: string, version: 1 | 2, key: KeyObject, spki: Buffer): Buffer {
  if (version === 1 || key.asymmetricKeyType !== "ed25519") return hash("sha256", spki, "buffer");
  return hash("sha256", Buffer.concat([Buffer.from(`${name}\n\u0001`), spki.subarray(-32)]), "buffer");
}

function kindOf(body: Uint8Array): string {
  const { apiVersion, kind } = JSON.parse(Buffer.from(body).toString());
  return `${kind} ${apiVersion}`;
}
