import type { KeyObject } from "node:crypto";
import { type DerElement, DerError, hexOf } from "../der/reader.ts";
import { der, oid, sequence, unsigned } from "../der/writer.ts";
import { x509Scheme } from "../x509/signatures.ts";
import type { Scheme } from "./signature-check.ts";

/** SHA-1 is absent: whoever can make two contents of one digest can have the wrong one signed. */
export type CmsHash = "sha256" | "sha384" | "sha512";

const NULL = der(0x05);

/** Hash → its OID (RFC 5754 §2) and the bytes of its digests. */
const HASHES: readonly (readonly [CmsHash, Buffer, number])[] = [
  ["sha256", oid("2.16.840.1.101.3.4.2.1"), 32],
  ["sha384", oid("2.16.840.1.101.3.4.2.2"), 48],
  ["sha512", oid("2.16.840.1.101.3.4.2.3"), 64],
];

/** AlgorithmIdentifier of a hash. Its parameters are absent, and NULL with some writers (RFC 5754 §2). */
function spellings(hash: Buffer): readonly Buffer[] {
  return [sequence(hash), sequence(hash, NULL)];
}

const DIGEST_ALGORITHMS: ReadonlyMap<string, CmsHash> = new Map(
  HASHES.flatMap(([name, hash]) => spellings(hash).map((algorithm) => [hexOf(algorithm), name] as const)),
);

/** rsaEncryption, which leaves the hash to the digest algorithm (RFC 3370 §3.2). */
const RSA_ENCRYPTION = hexOf(sequence(oid("1.2.840.113549.1.1.1"), NULL));

const RSASSA_PSS = oid("1.2.840.113549.1.1.10");
const MGF1 = oid("1.2.840.113549.1.1.8");

/** RSASSA-PSS with one hash for the content and the mask, and a salt as long as it (RFC 4056 §2.2) → that hash. */
const PSS_ALGORITHMS: ReadonlyMap<string, CmsHash> = new Map(
  HASHES.flatMap(([name, hash, saltLength]) =>
    spellings(hash).flatMap((content) =>
      spellings(hash).map((mask) => {
        const parameters = sequence(
          der(0xa0, content),
          der(0xa1, sequence(MGF1, mask)),
          der(0xa2, unsigned(Buffer.of(saltLength))),
        );
        return [hexOf(sequence(RSASSA_PSS, parameters)), name] as const;
      }),
    ),
  ),
);

/** The hash of an AlgorithmIdentifier. Throws `DerError` for one that is not taken. */
export function readDigestAlgorithm({ encoded }: DerElement): CmsHash {
  const hash = DIGEST_ALGORITHMS.get(hexOf(encoded));
  if (hash === undefined) throw new DerError("the digest algorithm is not one that is taken");
  return hash;
}

/**
 * How the key signs by this signature algorithm (DER) beside this digest algorithm. Undefined where the two do not
 * fit each other or the key: ECDSA, RSA and Ed25519 only.
 */
export function cmsScheme(key: KeyObject, algorithm: Uint8Array, hash: CmsHash): Scheme | undefined {
  const spelling = hexOf(algorithm);
  if (key.asymmetricKeyType === "rsa") {
    if (spelling === RSA_ENCRYPTION) return { hash, padding: "pkcs1" };
    if (PSS_ALGORITHMS.get(spelling) === hash) return { hash, padding: "pss" };
  }
  const scheme = x509Scheme(key, algorithm);
  // Ed25519 goes with SHA-512 where there are signed attributes (RFC 8419 §3.1).
  return (scheme?.hash ?? "sha512") === hash ? scheme : undefined;
}
