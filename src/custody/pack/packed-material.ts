import { VouchsafeError } from "../../errors.ts";
import { type Digest, parseDigest, sha256 } from "../../in-toto-attestation/index.ts";
import { type Manifest, parseManifest } from "../../oci/manifest.ts";
import { loadPolicyDocument, type PolicySet } from "../../policy/load.ts";
import { parseTrust, type TrustSnapshot } from "../../trust/snapshot.ts";
import type { VerifiedAttestation } from "../../verify/verified-attestation.ts";
import { verifyEvidence } from "../../verify/verify-evidence.ts";
import { type ExpiredEvidence, type PackedDocument, type PackedEvidence, recordName } from "../pack.ts";

/**
 * What a custody file holds beside events, found by hash and read once. Each function throws `pack-invalid`
 * when the file does not hold it or holds other bytes under its hash, and `evidence-expired` when retention has deleted them.
 */
export interface PackedMaterial {
  /** Takes the next record of the file. */
  add(record: PackedThing): void;
  /** The names of the records so far whose bytes are not those that their hash names, whether or not anything has read them. */
  altered(): readonly string[];
  /** Takes a trust snapshot that the file need not have, to be named by its hash, given back, as those in it are. */
  believe(trust: TrustSnapshot): Digest;
  policies(hash: Digest): PolicySet;
  trust(hash: Digest): TrustSnapshot;
  evidence(id: Digest): PackedEvidence;
  /** The file's word for what the evidence is, which stays when its bytes are gone. */
  mediaType(id: Digest): string;
  manifest(hash: Digest): Manifest & { readonly size: number };
  /** The evidence verified anew under a trust snapshot, as of `at`. Throws with the code of what failed. */
  verified(id: Digest, trust: Digest, at: number): VerifiedAttestation;
}

type PackedThing = PackedDocument | PackedEvidence | ExpiredEvidence;

export function openMaterial(): PackedMaterial {
  const stored = new Map<string, PackedThing>();
  const altered = new Set<string>();

  function record(kind: string, hash: Digest): PackedThing {
    const found = stored.get(`${kind} ${hash}`);
    if (found === undefined)
      throw new VouchsafeError("pack-invalid", `the ${kind} ${hash} is not in the file`);
    return found;
  }

  function find(kind: string, hash: Digest): PackedDocument | PackedEvidence {
    const found = record(kind, hash);
    if (found.case === "expired")
      throw new VouchsafeError(
        "evidence-expired",
        `retention deleted the bytes of ${hash}, says event ${found.expired}`,
      );
    if (altered.has(recordName(found)))
      throw new VouchsafeError("pack-invalid", `the ${kind} ${hash} was altered`);
    return found;
  }

  const policies = remember((hash: Digest) => loadPolicyDocument(find("policy", hash).bytes));
  const believed = new Map<Digest, TrustSnapshot>();
  const trust = remember((hash: Digest) => believed.get(hash) ?? parseTrust(find("trust", hash).bytes));
  const evidence = remember((id: Digest) => find("evidence", id) as PackedEvidence);
  const manifest = remember((hash: Digest) => {
    const { bytes } = find("manifest", hash);
    return { ...parseManifest(bytes), size: bytes.length };
  });
  const verified = remember((key: string) => {
    const [id, trustHash, at] = key.split(" ") as [Digest, Digest, string];
    return verifyEvidence(evidence(id).bytes, trust(trustHash), Number(at));
  });
  return {
    add(record) {
      const name = recordName(record);
      stored.set(name, record);
      if (record.case !== "expired" && sha256(record.bytes) !== record.hash) altered.add(name);
    },
    altered: () => [...altered],
    believe(snapshot) {
      const hash = parseDigest(snapshot.hash);
      believed.set(hash, snapshot);
      return hash;
    },
    policies,
    trust,
    evidence,
    mediaType: (id) => (record("evidence", id) as PackedEvidence | ExpiredEvidence).mediaType,
    manifest,
    verified: (id, hash, at) => verified(`${id} ${hash} ${at}`),
  };
}

function remember<K, V>(read: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    const value = known.get(key) ?? read(key);
    known.set(key, value);
    return value;
  };
}
