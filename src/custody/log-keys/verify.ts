import { VouchsafeError } from "../../errors.ts";
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseDigest,
} from "../../in-toto-attestation/index.ts";
import { decodeBase64 } from "../../tlog/base64.ts";
import { type Checkpoint, parseCheckpoint } from "../../tlog/checkpoint.ts";
import { leafHash } from "../../tlog/hash.ts";
import { openLogCheckpoint, parseLogKeys } from "../../tlog/log-keys.ts";
import { parseNote, parseVerifierKey } from "../../tlog/note.ts";
import { type Proof, verifyConsistency, verifyInclusion } from "../../tlog/proofs.ts";
import { isTreeSize } from "../../tlog/subtrees.ts";
import { keyLabel } from "../../tlog/verifier-key.ts";
import { encodeBody } from "../body.ts";
import { listIn, textIn, textsIn } from "../body-fields.ts";
import { type LogEvent, PROJECT_CHAIN } from "../events.ts";
import { openEvent } from "../open-event.ts";
import { decodeProof } from "../receipt.ts";
import { openFarewell } from "./farewell.ts";
import { activeKeys, type LogKeyRecord, logKeysOf } from "./history.ts";

/** The log's keys, as they are proved to whoever trusts one of them. */
export interface ProvenLogKeys {
  /** Signed by each active key. */
  readonly checkpoint: Checkpoint;
  /** Every key that the log has had, oldest first. */
  readonly keys: readonly LogKeyRecord[];
}

/** More changes of keys than a log ever sees: what is longer was made to keep us busy. */
const MAX_KEYS = 1_000;

/**
 * Moves a reader over from a key of the log that it trusts to those that are active now, by the answer of `GET
 * /log/keys` (docs/log-format.md) and offline. A key is believed when one that is believed signed a tree in which it
 * is added: the newest one, or, where that key was retired since, the one of its farewell, which names it. The
 * newest tree must extend that one, be signed by every active key, at least one of them believed, and by no further
 * key of the log's name.
 *
 * What it cannot know: that a key which it trusts was not stolen, and that everybody is shown this log.
 *
 * @param answer not believed in anything
 * @param trusted verifier keys (`name+hash+base64`), one a line
 * @throws VouchsafeError `invalid-request` for verifier keys that are none; else `proof-invalid`,
 *   `malformed-checkpoint`, `malformed-leaf` or `log-inconsistent`
 */
export function verifyLogKeys(answer: JsonValue, trusted: string): ProvenLogKeys {
  const { origin, verifiers } = parseLogKeys(trusted);
  const { note, events } = readAnswer(answer);
  // Not believed before the end.
  const tree = parseCheckpoint(parseNote(note).text);
  for (const { event, inclusion } of events)
    verifyInclusion(leafHash(event.leaf), event.index, tree, inclusion);
  const keys = logKeysOf(events.map(({ event }) => event));
  const believed = new Set(verifiers.map(keyLabel));
  for (const { event, consistency } of events) {
    if (event.type === "log-key.retired") vouch(event, consistency, { origin, tree, keys, believed });
  }
  const active = activeKeys(keys);
  if (!active.some(({ label }) => believed.has(label)))
    throw invalid("no key that is trusted vouches for any that signs the log now");
  const signing = { origin, verifiers: active.map(({ verifierKey }) => parseVerifierKey(verifierKey)) };
  const checkpoint = openLogCheckpoint(note, signing);
  const lines = parseNote(note).signatures.filter(({ name }) => name === origin);
  if (String(lines.map(keyLabel).sort()) !== String(active.map(({ label }) => label).sort()))
    throw invalid("the checkpoint is not signed by exactly the keys that are active");
  return { checkpoint, keys };
}

/** Lets a retired key that is believed vouch for those that it named in its farewell; without one it vouches for none. */
function vouch(
  { body }: LogEvent,
  consistency: Proof,
  known: {
    readonly origin: string;
    readonly tree: Checkpoint;
    readonly keys: readonly LogKeyRecord[];
    readonly believed: Set<string>;
  },
): void {
  const { origin, tree, keys, believed } = known;
  const retired = parseVerifierKey(textIn(body, "verifierKey"));
  if (!believed.has(keyLabel(retired)) || body.checkpoint === undefined) return;
  const farewell = openFarewell(textIn(body, "checkpoint"), { origin, verifiers: [retired] });
  verifyConsistency(farewell.tree, tree, consistency);
  for (const { label, added } of keys)
    if (farewell.staying.has(label) && added.index < farewell.tree.size) believed.add(label);
}

interface ProvedEvent {
  readonly event: LogEvent;
  readonly inclusion: Proof;
  /** From the checkpoint in a retirement to the newest; empty for the others. */
  readonly consistency: Proof;
}

function readAnswer(answer: JsonValue): { note: string; events: readonly ProvedEvent[] } {
  try {
    const body = objectOf(answer);
    const events = listIn(body, "events").map(objectOf);
    if (events.length > 2 * MAX_KEYS) throw new RangeError("too many keys");
    const inOrder = events.map(readEvent).sort((a, b) => a.event.index - b.event.index);
    return { note: textIn(body, "checkpoint"), events: inOrder };
  } catch (cause) {
    throw new VouchsafeError("proof-invalid", "The answer is no proof of the log's keys", { cause });
  }
}

/** What the event's leaf says is not read: it is told by the leaf. */
function readEvent(json: JsonObject): ProvedEvent {
  const { index, body } = json;
  if (!isTreeSize(index)) throw new RangeError("no index");
  const about = textsIn(json, "about").map((key) => (key === PROJECT_CHAIN ? key : parseDigest(key)));
  return {
    event: openEvent({
      index,
      leaf: bytesIn(json, "leaf"),
      salt: bytesIn(json, "salt"),
      body: encodeBody({ about, body: objectOf(body) }),
    }),
    inclusion: decodeProof(textsIn(json, "inclusionProof")),
    consistency: json.consistencyProof === undefined ? [] : decodeProof(textsIn(json, "consistencyProof")),
  };
}

function bytesIn(json: JsonObject, name: string): Uint8Array {
  const bytes = decodeBase64(textIn(json, name));
  if (bytes === undefined) throw new RangeError(`${name} is not base64`);
  return bytes;
}

function objectOf(value: JsonValue | undefined): JsonObject {
  if (!isJsonObject(value)) throw new RangeError("not an object");
  return value;
}

function invalid(what: string): VouchsafeError {
  return new VouchsafeError("proof-invalid", `The log's keys do not hold: ${what}`);
}
