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

/** More than one node of any project needs at a time; one that left is parsed anew when it is asked for. */
const KEPT = 256;

export function createDocuments(database: Database): Documents {
  const kept = new Map<string, Promise<unknown>>();
  const manifests = createSizedCache<string, Manifest>(MANIFESTS_KEPT);

  async function read<T>(project: ProjectId, hash: string, parse: (bytes: Uint8Array) => T): Promise<T> {
    const document = await readDocument(database.kysely, project, hash);
    if (!document)
      throw new VouchsafeError("log-inconsistent", `The document ${hash} that the log names is not stored`);
    // A policy or a root that was edited in the database must not decide.
    if (sha256(document.bytes) !== hash)
      throw new VouchsafeError("log-inconsistent", `The document ${hash} was altered`);
    return parse(document.bytes);
  }

  function once<T>(project: ProjectId, hash: string, parse: (bytes: Uint8Array) => T): Promise<T> {
    const key = `${project} ${hash}`;
    const hit = kept.get(key);
    if (hit !== undefined) return hit as Promise<T>;
    const loading = read(project, hash, parse);
    kept.set(key, loading);
    loading.catch(() => kept.delete(key));
    const oldest = kept.keys().next().value;
    if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
    return loading;
  }

  return {
    policies: (project, document) => once(project, document, loadPolicyDocument),
    trust: (project, hash) => once(project, hash, parseTrust),
    async manifest(project, digest) {
      const key = `${project} ${digest}`;
      const known = manifests.get(key);
      if (known !== undefined) return known;
      const manifest = await read(project, digest, parseManifest);
      manifests.set(key, manifest, BYTES_OF_DIGEST * manifest.contains.length);
      return manifest;
    },
  };
}
