import { VouchsafeError } from "../errors.ts";
import { type Digest, sha256 } from "../in-toto-attestation/index.ts";
import { type Manifest, parseManifest } from "../oci/manifest.ts";
import { loadPolicyDocument, type PolicySet } from "../policy/load.ts";
import { parseTrust, type TrustSnapshot } from "../trust/snapshot.ts";
import type { VerifiedAttestation } from "../verify/verified-attestation.ts";
import { verifyEvidence } from "../verify/verify-evidence.ts";
import type { PackedDocument, PackedEvidence, PackRecord } from "./pack.ts";

/**
 * What a custody file holds beside events, found by hash and read once. Each function throws `pack-invalid`
 * when the file does not hold it or holds other bytes under its hash.
 */
export interface PackedMaterial {
  policies(hash: Digest): PolicySet;
  trust(hash: Digest): TrustSnapshot;
  evidence(id: Digest): PackedEvidence;
  manifest(hash: Digest): Manifest & { readonly size: number };
  /** The evidence verified anew under a trust snapshot, as of `at`. Throws with the code of what failed. */
  verified(id: Digest, trust: Digest, at: number): VerifiedAttestation;
}

export function openMaterial(records: readonly PackRecord[]): PackedMaterial {
  const stored = new Map<string, PackedDocument | PackedEvidence>();
  for (const record of records) {
    if (record.case !== "event") stored.set(`${record.case} ${record.hash}`, record);
  }

  function find(kind: string, hash: Digest): PackedDocument | PackedEvidence {
    const record = stored.get(`${kind} ${hash}`);
    if (record === undefined)
      throw new VouchsafeError("pack-invalid", `the ${kind} ${hash} is not in the file`);
    if (sha256(record.bytes) !== hash)
      throw new VouchsafeError("pack-invalid", `the ${kind} ${hash} was altered`);
    return record;
  }

  const policies = remember((hash: Digest) => loadPolicyDocument(find("policy", hash).bytes));
  const trust = remember((hash: Digest) => parseTrust(find("trust", hash).bytes));
  const evidence = remember((id: Digest) => find("evidence", id) as PackedEvidence);
  const manifest = remember((hash: Digest) => {
    const { bytes } = find("manifest", hash);
    return { ...parseManifest(bytes), size: bytes.length };
  });
  const verified = remember((key: string) => {
    const [id, trustHash, at] = key.split(" ") as [Digest, Digest, string];
    return verifyEvidence(evidence(id).bytes, trust(trustHash), Number(at));
  });
  return { policies, trust, evidence, manifest, verified: (id, hash, at) => verified(`${id} ${hash} ${at}`) };
}

function remember<K, V>(read: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    const value = known.get(key) ?? read(key);
    known.set(key, value);
    return value;
  };
}
