import { VouchsafeError } from "../../errors.ts";
import type { JsonObject } from "../../in-toto-attestation/index.ts";
import type { SignedEvidence } from "../signed-evidence.ts";
import { readCosignBundle } from "./cosign-bundle.ts";
import { readDsseEnvelope } from "./dsse-envelope.ts";
import { readOciLayer } from "./oci-layer.ts";
import { readPypiAttestation } from "./pypi-attestation.ts";
import { readSigstoreBundle } from "./sigstore-bundle.ts";

/**
 * Takes a document of evidence apart by the reader of its format, which the document itself says by its members.
 * Its shape is checked; nothing of it is believed.
 *
 * Throws `VouchsafeError` (`unknown-evidence-format`, `malformed-bundle`) or `AttestationFormatError`.
 */
export function readEvidence(json: JsonObject): SignedEvidence {
  if (json.payloadType !== undefined) return readDsseEnvelope(json);
  if (json.verification_material !== undefined) return readPypiAttestation(json);
  if (json.base64Signature !== undefined) return readCosignBundle(json);
  // A descriptor's media type is that of what it describes.
  if (json.digest !== undefined) return readOciLayer(json);
  if (json.mediaType !== undefined) return readSigstoreBundle(json);
  throw new VouchsafeError(
    "unknown-evidence-format",
    "the evidence is no Sigstore bundle, DSSE envelope, PyPI attestation, bundle of cosign's own or layer of a cosign attestation",
  );
}
