import { VerificationError } from "./findings.ts";
import type { CertificateClaims, Signer } from "./verified-attestation.ts";
import type { VerifiedSignature } from "./verified-signature.ts";

/** Somebody who may sign: a certificate's identity under an OIDC issuer, or a key of the trust snapshot by its name. */
export type ExpectedSigner =
  | {
      readonly case: "certificate";
      readonly issuer: NamePattern;
      readonly identity: NamePattern;
      /** What the certificate must say besides, each exactly. */
      readonly claims?: CertificateClaims;
    }
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
  const reason = `expected a signature of ${wanted}; found one of ${describeSigner(signer, expected)}`;
  throw new VerificationError("identity", "signer-mismatch", reason, findings);
}

function is(signer: Signer, expected: ExpectedSigner): boolean {
  if (signer.case === "key") return expected.case === "key" && signer.name === expected.name;
  return (
    expected.case === "certificate" &&
    expected.issuer.matches(signer.issuer) &&
    expected.identity.matches(signer.identity) &&
    claimed(expected.claims).every(([name, value]) => signer.claims[name] === value)
  );
}

function describe(expected: ExpectedSigner): string {
  if (expected.case === "key") return `the key ${expected.name}`;
  const who = `${expected.identity.text} as ${expected.issuer.text} knows it`;
  return `${who}${claimed(expected.claims)
    .map(([name, value]) => `, with ${name} ${value}`)
    .join("")}`;
}

/** The signer, and what the certificate says of what was asked for. */
function describeSigner(signer: Signer, expected: readonly ExpectedSigner[]): string {
  if (signer.case === "key") return `the key ${signer.name}`;
  const asked = expected.flatMap((one) =>
    one.case === "certificate" ? claimed(one.claims).map(([name]) => name) : [],
  );
  const claims = [...new Set(asked)].map((name) => `, with ${name} ${signer.claims[name] ?? "absent"}`);
  return `${signer.identity} as ${signer.issuer} knows it${claims.join("")}`;
}

function claimed(claims: CertificateClaims = {}): [keyof CertificateClaims, string][] {
  return Object.entries(claims) as [keyof CertificateClaims, string][];
}
