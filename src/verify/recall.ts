import { VouchsafeError } from "../errors.ts";
import { type Digest, sha256 } from "../in-toto-attestation/index.ts";
import { withOurErrors } from "./format-errors.ts";
import { readFulcioIdentity } from "./fulcio-claims.ts";
import type { SignedEvidence } from "./signed-evidence.ts";
import { parseNamedCertificate } from "./signing-certificate.ts";
import type { CertificateClaims, Signer, VerifiedFacts } from "./verified-attestation.ts";
import { readBytes, readContent } from "./verify-evidence.ts";

/** What somebody recorded when the evidence was verified. */
export interface Recorded {
  /** sha256 of the evidence. */
  readonly id: Digest;
  /** Without `claims`, those are read from the evidence's own certificate. */
  readonly signer: RecordedSigner;
  readonly times: VerifiedFacts["times"];
  readonly findings?: VerifiedFacts["findings"];
}

type Certified = Extract<Signer, { readonly case: "certificate" }>;
export type RecordedSigner =
  | Exclude<Signer, Certified>
  | (Omit<Certified, "claims"> & Partial<Pick<Certified, "claims">>);

/** What the evidence says, by the word of a record: nobody verified it now, and it is no `VerifiedAttestation`. */
export type Recalled = Pick<VerifiedFacts, "id" | "payload" | "subjects" | "statement" | "signer" | "times"> &
  Partial<Pick<VerifiedFacts, "findings">>;

/**
 * Reads again what evidence says that was verified before, and believes the record about who signed it and when: no
 * signature is checked, which takes ten times as long. For questions of what would be; no verdict may rest on it.
 *
 * @returns undefined where bytes and record do not say it for sure; verification then says what they do
 */
export function recall(bytes: Uint8Array, recorded: Recorded): Recalled | undefined {
  const { id, times, findings } = recorded;
  if (sha256(bytes) !== id) return undefined;
  try {
    const evidence = readBytes(bytes);
    const signer = signerOf(recorded.signer, evidence);
    if (signer === undefined) return undefined;
    const content = withOurErrors(() => readContent(evidence.content));
    return { id, ...content, signer, times, ...(findings && { findings }) };
  } catch (error) {
    if (error instanceof VouchsafeError) return undefined;
    throw error;
  }
}

function signerOf(recorded: RecordedSigner, evidence: SignedEvidence): Signer | undefined {
  if (recorded.case === "key") return recorded;
  const claims = recorded.claims ?? claimsOf(recorded, evidence);
  return claims && { ...recorded, claims };
}

/** Undefined where the one certificate that names this identity is not to be told. */
function claimsOf(
  { issuer, identity }: Pick<Certified, "issuer" | "identity">,
  { signatures }: SignedEvidence,
): CertificateClaims | undefined {
  const claims = signatures.flatMap(({ signer }) => {
    if (signer.case !== "certificate") return [];
    const named = parseNamedCertificate(signer.leaf);
    if (named.identity !== identity) return [];
    const fulcio = readFulcioIdentity(named.certificate);
    return fulcio.issuer === issuer ? [fulcio.claims] : [];
  });
  return claims.length === 1 ? claims[0] : undefined;
}
