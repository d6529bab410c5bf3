import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { canonicalJson, parseJson } from "../../src/in-toto-attestation/index.ts";
import type { JsonObject, JsonValue } from "../../src/in-toto-attestation/types.ts";
import { serveFiles } from "../support/file-server.ts";

/** A TUF repository (specification 1.0.31) with metadata that is really signed, served over HTTP. */
export interface TufRepository {
  readonly url: string;
  /** The first root metadata: what a client is given out of band. */
  readonly root: JsonObject;
  /** Paths that were asked for. */
  readonly asked: readonly string[];
  /** Publishes these targets under new versions of targets, snapshot and timestamp metadata. */
  publish(targets: Readonly<Record<string, string>>, options?: Publishing): void;
  /** A new root version, signed by the key before it and by its own. */
  rotateRoot(): void;
  /** Serves again what it served at this moment. */
  save(): () => void;
  /** Whether it answers at all. */
  online: boolean;
  close(): Promise<void>;
}

export interface Publishing {
  /** Milliseconds since the epoch. */
  readonly expires?: number;
  /** Signs the timestamp with a key that is nobody's. */
  readonly forged?: boolean;
}

const DAY = 24 * 3_600_000;
const ROLES = ["timestamp", "snapshot", "targets"] as const;

interface RoleKey {
  readonly id: string;
  readonly json: JsonObject;
  readonly privateKey: KeyObject;
}

/** @param validFor how long metadata is valid, in milliseconds */
export async function openTufRepository({ validFor = 7 * DAY } = {}): Promise<TufRepository> {
  const files = new Map<string, string>();
  const asked: string[] = [];
  const onlineKey = newKey();
  let rootKey = newKey();
  let rootVersion = 0;
  let version = 0;

  function put(path: string, signed: JsonObject, keys: readonly RoleKey[]): string {
    const signatures = keys.map(({ id, privateKey }) => ({
      keyid: id,
      sig: sign(null, Buffer.from(canonicalJson(signed)), privateKey).toString("hex"),
    }));
    const text = JSON.stringify({ signatures, signed });
    files.set(path, text);
    return text;
  }
  function header(type: string, of: number, expires: number): JsonObject {
    const seconds = new Date(expires).toISOString().replace(/\.\d+Z$/, "Z");
    return { _type: type, spec_version: "1.0.31", version: of, expires: seconds };
  }
  function putRoot(signers: readonly RoleKey[]): JsonObject {
    rootVersion += 1;
    const role = ({ id }: RoleKey) => ({ keyids: [id], threshold: 1 });
    const text = put(
      `/${rootVersion}.root.json`,
      {
        ...header("root", rootVersion, Date.now() + 365 * DAY),
        consistent_snapshot: true,
        keys: { [rootKey.id]: rootKey.json, [onlineKey.id]: onlineKey.json },
        roles: {
          root: role(rootKey),
          ...Object.fromEntries(ROLES.map((name) => [name, role(onlineKey)])),
        },
      },
      signers,
    );
    return parseJson(Buffer.from(text)) as JsonObject;
  }
  const root = putRoot([rootKey]);

  const server = await serveFiles((path) => {
    asked.push(path);
    return repository.online ? files.get(path) : null;
  });

  const repository: TufRepository = {
    url: server.url,
    root,
    asked,
    online: true,
    publish(targets, { expires = Date.now() + validFor, forged = false } = {}) {
      version += 1;
      const infos = Object.entries(targets).map(([path, content]): [string, JsonValue] => {
        const sha256 = createHash("sha256").update(content).digest("hex");
        files.set(`/targets/${sha256}.${path}`, content);
        return [path, { length: Buffer.byteLength(content), hashes: { sha256 } }];
      });
      put(
        `/${version}.targets.json`,
        { ...header("targets", version, expires), targets: Object.fromEntries(infos) },
        [onlineKey],
      );
      put(
        `/${version}.snapshot.json`,
        { ...header("snapshot", version, expires), meta: { "targets.json": { version } } },
        [onlineKey],
      );
      put(
        "/timestamp.json",
        { ...header("timestamp", version, expires), meta: { "snapshot.json": { version } } },
        [forged ? { ...newKey(), id: onlineKey.id } : onlineKey],
      );
    },
    rotateRoot() {
      const before = rootKey;
      rootKey = newKey();
      putRoot([before, rootKey]);
    },
    save() {
      const saved = new Map(files);
      return () => {
        files.clear();
        for (const [path, file] of saved) files.set(path, file);
      };
    },
    close: () => server.close(),
  };
  return repository;
}

function newKey(): RoleKey {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("hex");
  const json = { keytype: "ed25519", scheme: "ed25519", keyval: { public: raw } };
  return { id: createHash("sha256").update(canonicalJson(json)).digest("hex"), json, privateKey };
}
