import { isJsonObject, type JsonValue, parseJson } from "../../in-toto-attestation/index.ts";
import type { LogEntry } from "../signed-evidence.ts";
import { base64, known, malformed, text } from "./members.ts";

const BUNDLE = new Set(["SignedEntryTimestamp", "Payload"]);
const PAYLOAD = new Set(["body", "integratedTime", "logIndex", "logID"]);
const LOG_ID = /^[0-9a-f]{64}$/;

/**
 * Reads what cosign keeps of a log entry beside a signature (sigstore/cosign pkg/cosign/bundle/rekor.go): the entry
 * and the log's promise, without a proof of inclusion.
 *
 * Throws `VouchsafeError` (`malformed-bundle`) or `AttestationFormatError`.
 */
export function readRekorBundle(value: JsonValue): LogEntry {
  const { SignedEntryTimestamp, Payload } = known(value, "the Rekor bundle", BUNDLE);
  const payload = known(Payload, "Payload", PAYLOAD);
  const body = base64(payload.body, "Payload.body");
  return {
    logIndex: wholeNumber(payload.logIndex, "logIndex"),
    logId: hexLogId(payload.logID),
    kind: kindOf(body),
    integratedTime: wholeNumber(payload.integratedTime, "integratedTime"),
    body,
    signedEntryTimestamp: base64(SignedEntryTimestamp, "SignedEntryTimestamp"),
  };
}

/** Kind and version of a log entry, as its body says them. */
export function kindOf(body: Uint8Array): string {
  const entry = parseJson(body);
  if (!isJsonObject(entry)) throw malformed("the body of a log entry is not an object");
  return `${text(entry.kind, "kind")} ${text(entry.apiVersion, "apiVersion")}`;
}

/** Rekor's own JSON writes numbers as numbers. */
export function wholeNumber(value: JsonValue | undefined, what: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw malformed(`${what} is not a whole number`);
  }
  return value;
}

export function hexLogId(value: JsonValue | undefined): string {
  if (typeof value !== "string" || !LOG_ID.test(value)) throw malformed("logID is not a log's id in hex");
  return value;
}
