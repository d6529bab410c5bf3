import { createHash } from "node:crypto";
import { parseEnvelope, parseJson } from "../../in-toto-attestation/index.ts";
import { SignedBytes } from "../signed.ts";
import type { Content } from "../signed-evidence.ts";
import { malformed } from "./members.ts";

/** An envelope in the bytes that were logged, and its one signature. */
export interface LoggedEnvelope {
  readonly content: Extract<Content, { case: "envelope" }>;
  readonly sig: Uint8Array;
  readonly keyid?: string;
}

/** Reads an envelope beside which cosign keeps certificate and log entry. Throws `VouchsafeError` or `AttestationFormatError`. */
export function readLoggedEnvelope(bytes: Uint8Array): LoggedEnvelope {
  const { payloadType, payload, signatures } = parseEnvelope(parseJson(bytes));
  const [only, ...others] = signatures;
  if (only === undefined || others.length > 0) {
    throw malformed("what stands beside the envelope is of one signature, and it has several");
  }
  const documentHash = createHash("sha256").update(bytes).digest("hex");
  return {
    content: { case: "envelope", payloadType, payload: new SignedBytes(payload), documentHash },
    ...only,
  };
}
