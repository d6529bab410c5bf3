import { VerificationError } from "./findings.ts";
import type { Signer } from "./verified-attestation.ts";
import type { VerifiedSignature } from "./verified-signature.ts";

/** Somebody who may sign: a certificate's identity under an OIDC issuer, or a key of the trust snapshot by its name. */
export type ExpectedSigner =
  | { readonly case: "certificate"; readonly issuer: string; readonly identity: NamePattern }
  | { readonly case: "key"; readonly name: string };

/** What a name must match as a whole. */
export interface NamePattern {
  /** For people. */
  readonly text: string;
  matches(name: string): boolean;
}

/** Demands that one of these signed. Throws `VerificationError` (`signer-mismatch`). */
export function requireSigner(
  { signer, findings }: Pick<VerifiedSignature, "signer" | "findings">,
  expected: readonly ExpectedSigner[],
): void {
  if (expected.some((one) => is(signer, one))) return;
  const wanted = expected.map(describe).join(", or ");
  const found =
    signer.case === "key" ? `the key ${signer.name}` : `${signer.identity} as ${signer.issuer} knows it`;
  const reason = `expected a signature of ${wanted}; found one of ${found}`;
  throw new VerificationError("identity", "signer-mismatch", reason, findings);
}

function is(signer: Signer, expected: ExpectedSigner): boolean {
  if (signer.case === "key") return expected.case === "key" && signer.name === expected.name;
  return (
    expected.case === "certificate" &&
    signer.issuer === expected.issuer &&
    expected.identity.matches(signer.identity)
  );
}

function describe(expected: ExpectedSigner): string {
  return expected.case === "key"
    ? `the key ${expected.name}`
    : `${expected.identity.text} as ${expected.issuer} knows it`;
}
