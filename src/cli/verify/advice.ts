import type { ErrorCode } from "../../errors.ts";
import type { Signer } from "../../verify/verified-attestation.ts";

/** What to do next, by the code of what failed. Codes that speak for themselves are absent. */
const ADVICE: ReadonlyMap<ErrorCode, string> = new Map([
  [
    "unknown-evidence-format",
    "docs/evidence.md lists the formats that are taken; layers of OCI images need --oci-manifest too.",
  ],
  ["malformed-json", "The file was cut off, or is no evidence: fetch it anew, or ask who made it."],
  [
    "malformed-bundle",
    "It was changed, or its writer does not keep to the format: fetch it anew, or ask its writer.",
  ],
  [
    "time-unverified",
    "Nobody who is trusted says when it was signed: ask for evidence with a log entry or a timestamp, or give the trusted root that its witnesses stand in with --trusted-root.",
  ],
  [
    "certificate-invalid",
    "If it was signed with another Sigstore instance than the public-good one, give that instance's --trusted-root.",
  ],
  [
    "log-entry-invalid",
    "If it was logged by another Sigstore instance, or the trusted root is old, give a newer one with --trusted-root.",
  ],
  ["unknown-key", "Give the signer's public key with --key, if you have it from somebody you believe."],
  ["key-not-allowed", "The key counts for other predicate types only, as the file that it stands in says."],
  [
    "unsupported-algorithm",
    "A plain Ed25519 signature is over the file itself: name the file (of at most 256 MiB) and not its digest.",
  ],
  [
    "signature-invalid",
    "The evidence was altered, or is of another artifact or key: do not use the artifact on it.",
  ],
  [
    "subject-mismatch",
    "The evidence holds, but for another artifact: find the one for this artifact's digest.",
  ],
  ["signer-mismatch", "Do not loosen what you ask for until you know why somebody else signed it."],
]);

export function adviceFor(code: ErrorCode): string | undefined {
  return ADVICE.get(code);
}

/** The options that ask for this signer, for whoever let anybody sign. */
export function optionsFor(signer: Signer): string {
  if (signer.case === "key") return `--key FILE, with the public key of ${signer.name}`;
  return `--certificate-identity ${quoted(signer.identity)} --certificate-oidc-issuer ${quoted(signer.issuer)}`;
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
