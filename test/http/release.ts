import { randomBytes } from "node:crypto";
import type { Sigstore } from "../sigstore/instance.ts";
import { sha256Hex, slsaProvenance } from "../sigstore/provenance.ts";

/** A policy that releases of acme/widget from its main branch pass, as `signRelease` makes them. */
export const RELEASE_POLICY = `apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata:
  name: release
spec:
  artifacts:
    names: ["widget*"]
  signers:
    - issuer: https://token.actions.githubusercontent.com
      identity: https://github.com/acme/widget/.github/workflows/release.yml@refs/heads/main
  builders:
    - id: https://github.com/acme/widget/.github/workflows/release.yml@refs/heads/main
      level: 3
  source:
    repositories: [https://github.com/acme/widget]
    refs: [refs/heads/main]
  buildTypes: [https://actions.github.io/buildtypes/workflow/v1]
  externalParameters:
    ignore: [workflow]
`;

/** A fresh artifact with provenance that the policy passes. */
export async function signRelease(sigstore: Sigstore) {
  const bytes = randomBytes(64);
  const bundle = await sigstore.signStatement(slsaProvenance([{ name: "widget.tgz", bytes }]));
  return { digest: `sha256:${sha256Hex(bytes)}`, bundle };
}

/** The bundle with another subject name in its payload. */
export function tampered(bundle: Uint8Array): Buffer {
  const parsed = JSON.parse(Buffer.from(bundle).toString());
  const payload = Buffer.from(parsed.dsseEnvelope.payload, "base64").toString();
  parsed.dsseEnvelope.payload = Buffer.from(payload.replace("widget.tgz", "gadget.tgz")).toString("base64");
  return Buffer.from(JSON.stringify(parsed));
}
