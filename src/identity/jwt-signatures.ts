import { constants, type KeyObject, verify } from "node:crypto";

/** A signature algorithm of JWT-SVIDs (JWT-SVID.md §2.1). */
interface JwtSignatureAlgorithm {
  readonly keyType: "ec" | "rsa";
  /** Of EC keys; undefined for RSA keys, as node:crypto has it. */
  readonly curve: string | undefined;
  readonly hash: "sha256" | "sha384" | "sha512";
  readonly padding?: number;
}

const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING } = constants;

/** All that the standard allows: neither `none` nor symmetric keys are among them. */
const ALGORITHMS: ReadonlyMap<string, JwtSignatureAlgorithm> = new Map([
  ["RS256", { keyType: "rsa", curve: undefined, hash: "sha256", padding: RSA_PKCS1_PADDING }],
  ["RS384", { keyType: "rsa", curve: undefined, hash: "sha384", padding: RSA_PKCS1_PADDING }],
  ["RS512", { keyType: "rsa", curve: undefined, hash: "sha512", padding: RSA_PKCS1_PADDING }],
  ["ES256", { keyType: "ec", curve: "prime256v1", hash: "sha256" }],
  ["ES384", { keyType: "ec", curve: "secp384r1", hash: "sha384" }],
  ["ES512", { keyType: "ec", curve: "secp521r1", hash: "sha512" }],
  ["PS256", { keyType: "rsa", curve: undefined, hash: "sha256", padding: RSA_PKCS1_PSS_PADDING }],
  ["PS384", { keyType: "rsa", curve: undefined, hash: "sha384", padding: RSA_PKCS1_PSS_PADDING }],
  ["PS512", { keyType: "rsa", curve: undefined, hash: "sha512", padding: RSA_PKCS1_PSS_PADDING }],
]);

/** Whether `alg` is in the table and fits the key, and the signature (ECDSA's as r‖s) is the key's over these bytes. */
export function verifyJwtSignature(
  key: KeyObject,
  alg: string,
  signed: Uint8Array,
  signature: Uint8Array,
): boolean {
  const algorithm = ALGORITHMS.get(alg);
  if (algorithm === undefined || algorithm.keyType !== key.asymmetricKeyType) return false;
  if (algorithm.curve !== key.asymmetricKeyDetails?.namedCurve) return false;
  const { hash, padding } = algorithm;
  const scheme =
    padding === undefined
      ? { key, dsaEncoding: "ieee-p1363" as const }
      : { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return verify(hash, signed, scheme, signature);
}
