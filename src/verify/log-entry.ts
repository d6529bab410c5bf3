import { DerError } from "../der/reader.ts";
import { VouchsafeError } from "../errors.ts";
import { AttestationFormatError } from "../in-toto-attestation/index.ts";
import { leafHash, sameHash } from "../tlog/hash.ts";
import { verifyInclusion } from "../tlog/proofs.ts";
import type { LogAuthority } from "../trust/sigstore-instance.ts";
import { covers, type TimeRange } from "../trust/time-range.ts";
import { readCheckpoint, type ToldBy } from "./log-checkpoint.ts";
import { bindBody, type LoggedSignature, TILED_KINDS } from "./log-entry-body.ts";
import { refuseUnless } from "./log-entry-members.ts";
import { usualCheck } from "./schemes.ts";
import type { Claim, SignatureCheck } from "./signature-check.ts";
import type { InclusionProof, LogEntry } from "./signed-evidence.ts";

/** That a log holds an entry about the signature. */
export interface FoundEntry {
  /** The log's name, for people. */
  readonly log: string;
  readonly logId: string;
  /** Who runs the log: thresholds count what has one operator once. */
  readonly operator: string;
  /** Only where it is signed: by a promise, or because the log is one tree. Entries are told apart by their leaf hash. */
  readonly logIndex?: number;
  /** RFC 6962 leaf hash of the body, lower-case hex. */
  readonly leafHash: string;
  readonly kind: string;
  /** When the log took it, milliseconds since the epoch; only where the log's promise says so. */
  readonly promisedTime?: number;
  /** By an inclusion proof up to a signed checkpoint; otherwise by the log's promise alone. */
  readonly proven: boolean;
  /** When the log's key may be believed. A promised time lies in the one range; any other time of the signature must in one. */
  readonly validFor: readonly TimeRange[];
}

/**
 * What a transparency log's entry proves about a signature, if its own signatures hold: the entry is of a trusted
 * log, is about this signature and no other, and the log promised to include it, or proves that it did, or both.
 * Whatever is there must hold.
 *
 * Throws `VouchsafeError` (`log-entry-invalid`).
 */
export function readLogEntry(
  entry: LogEntry,
  logs: readonly LogAuthority[],
  logged: LoggedSignature,
): Claim<FoundEntry> {
  try {
    const { kind, logIndex, logId, proof, signedEntryTimestamp } = entry;
    const { log, validFor } = logOf(entry, logs);
    refuseUnless(
      proof !== undefined || signedEntryTimestamp !== undefined,
      "nothing says that a log holds it",
    );
    const isTiled = TILED_KINDS.has(kind);
    if (isTiled) refuseUnless(proof?.leafIndex === logIndex, "it is not proven at its index");
    bindBody(entry, logged);
    const leaf = leafHash(entry.body);
    return {
      checks: [
        ...(signedEntryTimestamp === undefined ? [] : [promiseCheck(entry, log, signedEntryTimestamp)]),
        ...(proof === undefined ? [] : proofChecks(leaf, proof, log, isTiled ? "name" : "key")),
      ],
      found: {
        log: log.origin ?? logId,
        logId,
        operator: log.operator,
        ...((isTiled || signedEntryTimestamp !== undefined) && { logIndex }),
        leafHash: Buffer.from(leaf).toString("hex"),
        kind,
        ...(signedEntryTimestamp !== undefined && { promisedTime: milliseconds(entry) }),
        proven: proof !== undefined,
        validFor,
      },
    };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new VouchsafeError("log-entry-invalid", `a log entry is refused: ${error.message}`, {
      cause: error,
    });
  }
}

/** What reading hostile bytes may throw; anything else is a fault of ours. */
function isRefusal(error: unknown): error is Error {
  return (
    error instanceof VouchsafeError || error instanceof AttestationFormatError || error instanceof DerError
  );
}

/**
 * The log by its id, and when it may be believed. One that is listed twice, for two ranges, is believed in the one that a
 * promise names the time of; where nothing promises a time, in either.
 */
function logOf(
  entry: LogEntry,
  logs: readonly LogAuthority[],
): { readonly log: LogAuthority; readonly validFor: readonly TimeRange[] } {
  const named = logs.filter(({ logId }) => logId === entry.logId);
  const [first] = named;
  refuseUnless(first !== undefined, "its log is not trusted");
  if (entry.signedEntryTimestamp === undefined) {
    const ofOneKey = named.filter(({ spki }) => Buffer.compare(spki, first.spki) === 0);
    return { log: first, validFor: ofOneKey.map(({ validFor }) => validFor) };
  }
  const log = named.find(({ validFor }) => covers(validFor, milliseconds(entry)));
  refuseUnless(log !== undefined, "its log was not trusted when it took the entry");
  return { log, validFor: [log.validFor] };
}

function milliseconds({ integratedTime }: LogEntry): number {
  refuseUnless(integratedTime !== undefined && integratedTime > 0, "it has a promise and no time");
  return integratedTime * 1000;
}

const PROMISE_BODY = '{"body":"';

/**
 * The signed entry timestamp, over the JSON of the entry in its canonical form (RFC 8785), of which every member is
 * one that needs no escapes.
 */
function promiseCheck(entry: LogEntry, log: LogAuthority, signature: Uint8Array): SignatureCheck {
  const { body, integratedTime, logIndex, logId } = entry;
  const base64 = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("base64");
  const rest = `","integratedTime":${integratedTime},"logID":"${logId}","logIndex":${logIndex}}`;
  // Written in parts: as one text it would be copied once more.
  const promised = Buffer.allocUnsafe(PROMISE_BODY.length + base64.length + rest.length);
  promised.write(PROMISE_BODY, "latin1");
  promised.write(base64, PROMISE_BODY.length, "latin1");
  promised.write(rest, PROMISE_BODY.length + base64.length, "latin1");
  const check = usualCheck(log, promised, signature);
  refuseUnless(check !== undefined, "the log's key is of a kind that is not taken");
  return check;
}

/** The leaf is in the tree of the proof, and that is the tree of a checkpoint that this log signed. */
function proofChecks(
  leaf: Uint8Array,
  proof: InclusionProof,
  log: LogAuthority,
  toldBy: ToldBy,
): readonly SignatureCheck[] {
  const { checks, found } = readCheckpoint(proof.checkpoint, [log], toldBy);
  const isSameTree = found.size === proof.treeSize && sameHash(found.root, proof.rootHash);
  refuseUnless(isSameTree, "its proof is for another tree than its checkpoint's");
  verifyInclusion(leaf, proof.leafIndex, found, proof.hashes);
  return checks;
}
