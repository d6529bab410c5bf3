import type { Digest, Statement } from "../in-toto-attestation/types.ts";
import type { Findings } from "./findings.ts";

/** What Fulcio wrote into the certificate (sigstore/fulcio docs/oid-info.md), by the names of that page. */
export interface CertificateClaims {
  readonly buildSignerUri?: string;
  readonly buildSignerDigest?: string;
  readonly runnerEnvironment?: string;
  readonly sourceRepositoryUri?: string;
  readonly sourceRepositoryDigest?: string;
  readonly sourceRepositoryRef?: string;
  readonly sourceRepositoryIdentifier?: string;
  readonly sourceRepositoryOwnerUri?: string;
  readonly sourceRepositoryOwnerIdentifier?: string;
  readonly buildConfigUri?: string;
  readonly buildConfigDigest?: string;
  readonly buildTrigger?: string;
  readonly runInvocationUri?: string;
  readonly sourceRepositoryVisibility?: string;
}

/** Who signed: a certificate's identity under an OIDC issuer, or a key of the trust snapshot by its name. */
export type Signer =
  | {
      readonly case: "certificate";
      readonly issuer: string;
      /** The subject alternative name, as one string. */
      readonly identity: string;
      readonly claims: CertificateClaims;
      /** Which instance of the trust snapshot vouched for it, e.g. `public-good`. */
      readonly instance: string;
    }
  | { readonly case: "key"; readonly name: string; readonly keyId: string };

/** One thing that the evidence is about: every digest names the same artifact. */
export interface Subject {
  readonly name?: string;
  readonly digests: readonly Digest[];
}

/** The facts that verification established. */
export interface VerifiedFacts {
  /** sha256 of the evidence bytes: the attestation's id. */
  readonly id: Digest;
  readonly mediaType: string;
  /** Digest of what was signed: the DSSE payload, or a message as the bundle names it. Other bytes can hold the same. */
  readonly payload?: Digest;
  readonly subjects: readonly Subject[];
  /** Absent for a bundle that signs an artifact's digest and no Statement. */
  readonly statement?: Statement;
  readonly signer: Signer;
  /** Trusted times at which the signature existed, ascending, as milliseconds since the epoch. */
  readonly times: readonly number[];
  readonly findings: Findings;
  /** Hash of the trust snapshot under which it verified. */
  readonly trustHash: string;
}

const made = new WeakSet<object>();

/**
 * Evidence whose signatures, certificate, time and log entries verified under a trust snapshot. Only
 * `verify/` makes one: code that takes it as an argument need not ask again, and a plain object of the same
 * shape is refused by `assertVerified`.
 */
export interface VerifiedAttestation extends VerifiedFacts {
  readonly __verified: unique symbol;
}

/** For `verify/` alone; the import arrows refuse it elsewhere. */
export function sealVerified(facts: VerifiedFacts): VerifiedAttestation {
  const sealed = Object.freeze({ ...facts }) as VerifiedAttestation;
  made.add(sealed);
  return sealed;
}

/** Throws `TypeError` (a bug of ours, never of a caller) for anything that `verify/` did not make. */
export function assertVerified(attestation: VerifiedAttestation): void {
  if (!made.has(attestation)) throw new TypeError("not a VerifiedAttestation made by verify/");
}
