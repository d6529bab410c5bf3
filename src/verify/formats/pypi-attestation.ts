import { IN_TOTO_PAYLOAD_TYPE, type JsonObject } from "../../in-toto-attestation/index.ts";
import { SignedBytes } from "../signed.ts";
import type { SignedEvidence } from "../signed-evidence.ts";
import { base64, known, malformed } from "./members.ts";
import { readTransparencyLogEntries } from "./transparency-log-entry.ts";

/** PEP 740 gives its attestation object no media type; the name says whose it is. */
const PYPI_MEDIA_TYPE = "application/vnd.pypi.attestation.v1+json";

const ATTESTATION = new Set(["version", "verification_material", "envelope"]);
const MATERIAL = new Set(["certificate", "transparency_entries"]);
const ENVELOPE = new Set(["statement", "signature"]);

/**
 * Reads an attestation object of the Python Package Index (PEP 740, "Attestation objects"), version 1: a Sigstore
 * bundle by other names, whose envelope's payload type is always in-toto's.
 *
 * Throws `VouchsafeError` (`malformed-bundle`).
 */
export function readPypiAttestation(json: JsonObject): SignedEvidence {
  const { version, verification_material, envelope } = known(json, "attestation", ATTESTATION);
  if (version !== 1) throw malformed("the attestation's version is not 1");
  const material = known(verification_material, "verification_material", MATERIAL);
  const { statement, signature } = known(envelope, "envelope", ENVELOPE);
  const logEntries = readTransparencyLogEntries(material.transparency_entries, "transparency_entries");
  if (logEntries.length === 0) throw malformed("there are no transparency_entries");
  return {
    mediaType: PYPI_MEDIA_TYPE,
    content: {
      case: "envelope",
      payloadType: IN_TOTO_PAYLOAD_TYPE,
      payload: new SignedBytes(base64(statement, "envelope.statement")),
    },
    signatures: [
      {
        signature: base64(signature, "envelope.signature"),
        signer: { case: "certificate", leaf: base64(material.certificate, "certificate"), intermediates: [] },
        logEntries,
        timestamps: [],
      },
    ],
  };
}
