import { hash } from "node:crypto";
import type { SignatureBundle, Witness } from "@sigstore/sign";
import { preAuthenticationEncoding } from "../../src/in-toto-attestation/index.ts";
import { pemBlocks } from "../../src/x509/pem.ts";
import { canonicalTiledBody } from "./rekor-entry.ts";
import type { RekorLog } from "./rekor-log.ts";

/**
 * Has a log of tiles (Rekor v2) bear witness, as its clients do that log an envelope as the hash of its
 * pre-authentication encoding. The client library's own witness still asks for the kind that was withdrawn.
 */
export function tilesWitness(log: RekorLog): Witness {
  return {
    testify: async (content, certificatePem) => {
      const { digest, signature } = signedBy(content);
      const body = canonicalTiledBody({
        digest: digest.toString("base64"),
        signature: {
          content: signature.toString("base64"),
          verifier: {
            keyDetails: "PKIX_ECDSA_P256_SHA_256",
            x509Certificate: { rawBytes: derOf(certificatePem) },
          },
        },
      });
      const [{ proof, logIndex } = {}] = log.enter([body]);
      if (proof === undefined) throw new TypeError("a log of tiles proves its entries");
      const entry = {
        logIndex: `${logIndex}`,
        logId: { keyId: log.logId },
        kindVersion: { kind: "hashedrekord", version: "0.0.2" },
        integratedTime: "0",
        inclusionPromise: undefined,
        inclusionProof: {
          logIndex: `${proof.leafIndex}`,
          treeSize: `${proof.treeSize}`,
          rootHash: Buffer.from(proof.rootHash),
          hashes: proof.hashes.map((one) => Buffer.from(one)),
          checkpoint: { envelope: proof.checkpoint },
        },
        canonicalizedBody: Buffer.from(body),
      };
      return { tlogEntries: [entry] };
    },
  };
}

function signedBy(content: SignatureBundle): { digest: Buffer; signature: Buffer } {
  if (content.$case === "messageSignature") {
    const { messageDigest, signature } = content.messageSignature;
    return { digest: messageDigest.digest, signature };
  }
  const { payloadType, payload, signatures } = content.dsseEnvelope;
  const [only] = signatures;
  if (only === undefined) throw new TypeError("the envelope has no signature");
  const encoded = preAuthenticationEncoding(payloadType, payload);
  return { digest: hash("sha256", encoded, "buffer"), signature: only.sig };
}

function derOf(pem: string): string {
  const [block] = pemBlocks(pem) ?? [];
  return Buffer.from(block?.bytes ?? []).toString("base64");
}
