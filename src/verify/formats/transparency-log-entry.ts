import type { JsonValue } from "../../in-toto-attestation/index.ts";
import type { InclusionProof, LogEntry } from "../signed-evidence.ts";
import { base64, decimal, distinct, items, known, malformed, text } from "./members.ts";

const ENTRY = new Set([
  "logIndex",
  "logId",
  "kindVersion",
  "integratedTime",
  "inclusionPromise",
  "inclusionProof",
  "canonicalizedBody",
]);
const LOG_ID = new Set(["keyId"]);
const KIND_VERSION = new Set(["kind", "version"]);
const PROMISE = new Set(["signedEntryTimestamp"]);
const PROOF = new Set(["logIndex", "rootHash", "treeSize", "hashes", "checkpoint"]);
const CHECKPOINT = new Set(["envelope"]);

const MAX_ENTRIES = 8;
const MAX_PROOF_HASHES = 64;

/**
 * Reads protobuf-specs' TransparencyLogEntry (sigstore_rekor.proto) in its JSON form, several of them, no place of a log
 * twice. Throws `VouchsafeError` (`malformed-bundle`).
 */
export function readTransparencyLogEntries(value: JsonValue | undefined, what: string): readonly LogEntry[] {
  const entries = items(value, what, MAX_ENTRIES).map(readTransparencyLogEntry);
  return distinct(entries, what, ({ logId, logIndex }) => `${logId}/${logIndex}`);
}

function readTransparencyLogEntry(value: JsonValue): LogEntry {
  const entry = known(value, "tlogEntry", ENTRY);
  const { kind, version } = known(entry.kindVersion, "kindVersion", KIND_VERSION);
  const promise = entry.inclusionPromise ?? undefined;
  const proof = entry.inclusionProof ?? undefined;
  const integratedTime = decimal(entry.integratedTime, "integratedTime");
  return {
    logIndex: decimal(entry.logIndex, "logIndex"),
    logId: Buffer.from(base64(known(entry.logId, "logId", LOG_ID).keyId, "logId.keyId")).toString("hex"),
    kind: `${text(kind, "kind")} ${text(version, "version")}`,
    // Zero is how protobuf says "none".
    ...(integratedTime === 0 ? {} : { integratedTime }),
    body: base64(entry.canonicalizedBody, "canonicalizedBody"),
    ...(promise === undefined ? {} : { signedEntryTimestamp: readPromise(promise) }),
    ...(proof === undefined ? {} : { proof: readProof(proof) }),
  };
}

function readPromise(value: JsonValue): Uint8Array {
  const { signedEntryTimestamp } = known(value, "inclusionPromise", PROMISE);
  return base64(signedEntryTimestamp, "signedEntryTimestamp");
}

function readProof(value: JsonValue): InclusionProof {
  const proof = known(value, "inclusionProof", PROOF);
  const { envelope } = known(proof.checkpoint, "checkpoint", CHECKPOINT);
  if (typeof envelope !== "string") throw malformed("checkpoint.envelope is not a string");
  return {
    leafIndex: decimal(proof.logIndex, "inclusionProof.logIndex"),
    treeSize: decimal(proof.treeSize, "inclusionProof.treeSize"),
    rootHash: base64(proof.rootHash, "rootHash"),
    hashes: items(proof.hashes, "hashes", MAX_PROOF_HASHES).map((hash) => base64(hash, "hashes")),
    checkpoint: envelope,
  };
}
