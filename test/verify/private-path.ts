import { sign } from "node:crypto";
import { derChildren, readDer } from "../../src/der/reader.ts";
import { der, sequence } from "../../src/der/writer.ts";
import { preAuthenticationEncoding } from "../../src/in-toto-attestation/index.ts";
import { createTrust } from "../../src/trust/snapshot.ts";
import type { VerifiedAttestation } from "../../src/verify/verified-attestation.ts";
import { verifyEvidence } from "../../src/verify/verify-evidence.ts";
import { CODE_SIGNING, EXTENSION } from "../../src/x509/oids.ts";
import { writePem } from "../../src/x509/pem.ts";
import { issue, pemOf } from "../trust/certificates.ts";
import { bytesOf, STATEMENT } from "./envelopes.ts";
import { extension, type Holder } from "./issued-certificates.ts";
import { NOW } from "./signed-bundles.ts";
import { timestampResponse } from "./timestamps.ts";
import { root as timestampRoot, tsa } from "./trusted-tsa.ts";

export const IDENTITY = extension(EXTENSION.subjectAltName, sequence(der(0x81, Buffer.from("a@b.example"))));

/**
 * Verifies a Statement that a certificate of `issuer` signed, in an envelope with these intermediates and a timestamp,
 * where private roots are trusted.
 */
export function verifyUnder(
  trusted: readonly Holder[],
  issuer: Holder,
  intermediates: readonly Holder[],
): VerifiedAttestation {
  const leaf = issue("leaf", { issuer, ca: false, extendedKeyUsages: [CODE_SIGNING], more: [IDENTITY] });
  const trust = createTrust({
    sigstore: [],
    keys: [],
    x509: [
      { name: "own", certificates: pemOf(...trusted), uses: ["attestations"] },
      { name: "tsa", certificates: pemOf(tsa, timestampRoot), uses: ["timestamps"] },
    ],
  });
  return verifyEvidence(bytesOf(envelopeBy(leaf, intermediates)), trust, NOW);
}

/** An envelope that this certificate's key signed, with a timestamp of `tsa`. */
export function envelopeBy(leaf: Holder, intermediates: readonly Holder[] = []) {
  const payload = bytesOf(STATEMENT);
  const payloadType = "application/vnd.in-toto+json";
  const signature = sign("sha256", preAuthenticationEncoding(payloadType, payload), leaf.key);
  const [, token] = derChildren(readDer(timestampResponse(tsa, signature)).content);
  return {
    payloadType,
    payload: payload.toString("base64"),
    signatures: [
      {
        sig: signature.toString("base64"),
        certificate: pemInBase64(leaf),
        intermediates: intermediates.map(pemInBase64),
        timestamps: [{ type: "tsp", data: Buffer.from(token?.encoded ?? []).toString("base64") }],
      },
    ],
  };
}

function pemInBase64({ certificate }: Holder): string {
  return Buffer.from(writePem("CERTIFICATE", certificate)).toString("base64");
}
