import type { ProjectId } from "../custody/events.ts";
import type { Database } from "../db/connection.ts";
import { readDocument } from "../db/evidence.ts";
import { VouchsafeError } from "../errors.ts";
import { sha256 } from "../in-toto-attestation/digest.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import { type Manifest, parseManifest } from "../oci/manifest.ts";
import { loadPolicyDocument, type PolicySet } from "../policy/load.ts";
import { parseTrust, type TrustSnapshot } from "../trust/snapshot.ts";
import { createSizedCache } from "./sized-cache.ts";

/** Policy sets, trust snapshots and manifests by the hash that events name, parsed once and kept. */
export interface Documents {
  policies(project: ProjectId, document: string): Promise<PolicySet>;
  trust(project: ProjectId, hash: string): Promise<TrustSnapshot>;
  manifest(project: ProjectId, digest: Digest): Promise<Manifest>;
}

const MANIFESTS_KEPT = { entries: 10_000, bytes: 64 * 1024 * 1024 };
/** What a digest takes in memory, about. */
const BYTES_OF_DIGEST = 100;

/** Those in force in hundreds of projects, by the bytes of their documents; one that left is parsed anew when it is asked for. */
const KEPT = { entries: 2_048, bytes: 64 * 1024 * 1024 };

export function createDocuments(database: Database): Documents {
  const kept = createSizedCache<string, unknown>(KEPT);
  const loading = new Map<string, Promise<unknown>>();
  const manifests = createSizedCache<string, Manifest>(MANIFESTS_KEPT);

  async function read(project: ProjectId, hash: string): Promise<Uint8Array> {
    const document = await readDocument(database.kysely, project, hash);
    if (!document)
      throw new VouchsafeError("log-inconsistent", `The document ${hash} that the log names is not stored`);
    // A policy or a root that was edited in the database must not decide.
    if (sha256(document.bytes) !== hash)
      throw new VouchsafeError("log-inconsistent", `The document ${hash} was altered`);
    return document.bytes;
  }

  function once<T>(project: ProjectId, hash: string, parse: (bytes: Uint8Array) => T): Promise<T> {
    const key = `${project} ${hash}`;
    const hit = kept.get(key);
    if (hit !== undefined) return Promise.resolve(hit as T);
    const underWay = loading.get(key);
    if (underWay !== undefined) return underWay as Promise<T>;
    const load = async () => {
      const bytes = await read(project, hash);
      const parsed = parse(bytes);
      kept.set(key, parsed, bytes.length);
      return parsed;
    };
    const loaded = load().finally(() => loading.delete(key));
    loading.set(key, loaded);
    return loaded;
  }

  return {
    policies: (project, document) => once(project, document, loadPolicyDocument),
    trust: (project, hash) => once(project, hash, parseTrust),
    async manifest(project, digest) {
      const key = `${project} ${digest}`;
      const known = manifests.get(key);
      if (known !== undefined) return known;
      const manifest = parseManifest(await read(project, digest));
      manifests.set(key, manifest, BYTES_OF_DIGEST * manifest.contains.length);
      return manifest;
    },
  };
}
