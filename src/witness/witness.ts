import { hash } from "node:crypto";
import { join } from "node:path";
import { readOrCreate } from "../create-once.ts";
import { type Acknowledged, openAcknowledged } from "../custody/writer/acknowledged.ts";
import { lockDirectory } from "../directory-lock.ts";
import { VouchsafeError } from "../errors.ts";
import { makeEd25519Key, readPrivateKey } from "../private-key.ts";
import { parseSubmission, type Submission } from "../tlog/add-checkpoint.ts";
import { type Checkpoint, parseCheckpoint } from "../tlog/checkpoint.ts";
import { type Cosigner, ed25519Cosigner } from "../tlog/cosignature.ts";
import { sameHash } from "../tlog/hash.ts";
import {
  type Note,
  type NoteVerifier,
  parseNote,
  parseVerifierKey,
  trustedSignatures,
} from "../tlog/note.ts";
import { verifyConsistency } from "../tlog/proofs.ts";
import { isKeyName } from "../tlog/verifier-key.ts";

/**
 * A witness (c2sp.org/tlog-witness): for each log it remembers the largest tree that it cosigned, and cosigns
 * nothing that does not extend it.
 */
export interface Witness {
  readonly name: string;
  /** `name+hash+base64`, of the cosignature/v1 type. */
  readonly verifierKey: string;
  /** The logs' names. */
  readonly origins: readonly string[];
  /** Answers a body of `add-checkpoint`. Rejects when the memory cannot be written, and from then on for that log. */
  addCheckpoint(body: string): Promise<Answer>;
  close(): Promise<void>;
}

/** Each case is a status of the specification, with what the answer's body says. */
export type Answer =
  | { readonly status: 200; readonly line: string }
  /** `size` is what was cosigned last. `fork`: the log signed two trees of this size. */
  | { readonly status: 409; readonly size: number; readonly fork: boolean }
  | { readonly status: 400 | 403 | 404 | 422; readonly why: string };

export interface WitnessOptions {
  /** Holds the key and the memory, for this process alone. */
  readonly directory: string;
  /** A key name, best a URL without its scheme. */
  readonly name: string;
  /** Verifier keys; those of one name are one log's. */
  readonly logs: readonly string[];
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** With its hash and the like it must fit into a slot of the memory. */
const MAX_ORIGIN_BYTES = 300;

interface WitnessedLog {
  readonly verifiers: readonly NoteVerifier[];
  readonly memory: Acknowledged;
  /** The largest tree that was cosigned, or what stands for it before the first. */
  last: Acknowledged["tree"];
  /** Ends when all submissions of this log taken so far are answered. */
  turn: Promise<unknown>;
}

/**
 * Opens a witness; on the first start its key is made.
 *
 * @throws VouchsafeError `configuration-invalid`, `invalid-request` for a verifier key that is none, and
 *   `log-inconsistent` for a memory that is damaged
 */
export async function openWitness(options: WitnessOptions): Promise<Witness> {
  const { directory, name, clock } = options;
  if (!isKeyName(name)) throw misconfigured("A witness's name has neither spaces nor plus signs");
  const keys = Map.groupBy(options.logs.map(parseVerifierKey), (verifier) => verifier.name);
  const unlock = await lockDirectory(directory);
  const logs = new Map<string, WitnessedLog>();
  try {
    const cosigner = await openKey(directory, name);
    for (const [origin, verifiers] of keys) {
      if (Buffer.byteLength(origin) > MAX_ORIGIN_BYTES) throw misconfigured(`${origin} is too long a name`);
      const memory = await openAcknowledged(join(directory, `log-${hash("sha256", origin)}`), origin);
      logs.set(origin, { verifiers, memory, last: memory.tree, turn: Promise.resolve() });
    }
    return {
      name,
      verifierKey: cosigner.verifierKey,
      origins: [...logs.keys()],
      addCheckpoint: async (body) => addCheckpoint(logs, cosigner, clock, body),
      async close() {
        for (const { turn, memory } of logs.values()) {
          await turn.catch(() => undefined);
          await memory.close();
        }
        unlock();
      },
    };
  } catch (error) {
    for (const { memory } of logs.values()) await memory.close();
    unlock();
    throw error;
  }
}

async function openKey(directory: string, name: string): Promise<Cosigner> {
  const path = join(directory, "witness-key.pem");
  const key = readPrivateKey(await readOrCreate(path, makeEd25519Key));
  if (key?.asymmetricKeyType !== "ed25519")
    throw misconfigured(`${path} holds no Ed25519 key in PKCS #8 PEM`);
  return ed25519Cosigner(name, key);
}

/** The checks in the specification's order: form, log, signature, and then, one at a time, consistency. */
async function addCheckpoint(
  logs: ReadonlyMap<string, WitnessedLog>,
  cosigner: Cosigner,
  clock: () => number,
  body: string,
): Promise<Answer> {
  const read = readSubmission(body);
  if ("status" in read) return read;
  const { submission, note, checkpoint } = read;
  const log = logs.get(checkpoint.origin);
  if (log === undefined) return { status: 404, why: "this log is not one that is witnessed here" };
  if (!isSigned(note, log)) return { status: 403, why: "none of the log's keys signed this" };
  if (submission.old > checkpoint.size) return { status: 400, why: "the old size is above the checkpoint's" };

  const answered = log.turn.then(async (): Promise<Answer> => {
    const refusal = refuse(log.last, submission, checkpoint);
    if (refusal !== undefined) return refusal;
    // A crash before this has remembered nothing; one after it remembers a tree whose cosignature nobody has yet.
    if (checkpoint.size > log.last.size) await log.memory.record(checkpoint);
    log.last = checkpoint;
    return { status: 200, line: cosigner.cosign(note.text, Math.floor(clock() / 1000)) };
  });
  // What the disk holds after a write that failed is not known before it is read anew: no turn comes after it.
  log.turn = answered;
  log.turn.catch(() => undefined);
  return answered;
}

function readSubmission(
  body: string,
): Answer | { readonly submission: Submission; readonly note: Note; readonly checkpoint: Checkpoint } {
  try {
    const submission = parseSubmission(body);
    const note = parseNote(submission.note);
    return { submission, note, checkpoint: parseCheckpoint(note.text) };
  } catch (error) {
    return { status: 400, why: messageOf(error) };
  }
}

function isSigned(note: Note, { verifiers }: WitnessedLog): boolean {
  try {
    return trustedSignatures(note, verifiers).length > 0;
  } catch (error) {
    messageOf(error);
    return false;
  }
}

function refuse(
  last: Acknowledged["tree"],
  { old, proof }: Submission,
  tree: Checkpoint,
): Answer | undefined {
  if (old !== last.size) return { status: 409, size: last.size, fork: false };
  if (tree.size === last.size && !sameHash(tree.root, last.root)) {
    return { status: 409, size: last.size, fork: true };
  }
  try {
    verifyConsistency(last, tree, proof);
    return undefined;
  } catch (error) {
    return { status: 422, why: messageOf(error) };
  }
}

/** Of an error of ours; others are bugs, which no answer may hide. */
function messageOf(error: unknown): string {
  if (!(error instanceof VouchsafeError)) throw error;
  return error.message;
}

function misconfigured(message: string): VouchsafeError {
  return new VouchsafeError("configuration-invalid", message);
}
