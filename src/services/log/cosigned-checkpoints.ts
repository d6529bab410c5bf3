import type { LogSigners } from "../../custody/log-signers.ts";
import type { Database } from "../../db/connection.ts";
import { readHead } from "../../db/log.ts";
import { timeOfEntry } from "../../db/log-time.ts";
import { type CosignedCheckpoint, keepCosigned, readCosigned } from "../../db/witnesses.ts";
import { hasCode } from "../../errors.ts";
import { joinSignatures } from "../../tlog/cosigned-note.ts";
import { parseNote, trustedSignatures } from "../../tlog/note.ts";
import type { WitnessPolicy } from "../../tlog/witness-policy.ts";
import { witnessesOf } from "../../tlog/witnesses.ts";

/** What judging cosigned checkpoints needs. */
export interface Cosigning {
  readonly database: Database;
  readonly policy: WitnessPolicy;
  readonly signers: LogSigners;
}

/** Besides those that are served: what the slower witnesses may still cosign. */
const LATE = 8;
/** How long the log may grow before the witnesses are waited for no more, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Adds a cosignature to those of its checkpoint, which is published when the quorum has cosigned it.
 *
 * @returns whether it has
 */
export async function keepCosignature(cosigning: Cosigning, size: number, note: string): Promise<boolean> {
  let isEnough = false;
  await keepCosigned(cosigning.database, (kept) => {
    const before = kept.find((row) => row.size === size);
    const checkpoint = before === undefined ? note : joinSignatures(note, before.checkpoint);
    isEnough = isWitnessed(cosigning, checkpoint);
    const row = { size, checkpoint, published: isEnough || (before?.published ?? false) };
    return survivors(cosigning, [row, ...kept.filter((other) => other.size !== size)]);
  });
  return isEnough;
}

/** What is served stays, and the newest few: however long the witnesses are away, it is no more. */
function survivors(cosigning: Cosigning, rows: readonly CosignedCheckpoint[]): readonly CosignedCheckpoint[] {
  const sorted = rows.toSorted((a, b) => b.size - a.size);
  const witnessed = sorted.find(({ checkpoint }) => isWitnessed(cosigning, checkpoint));
  const published = sorted.find((row) => row.published);
  return sorted.filter((row, i) => i < LATE || row === witnessed || row === published);
}

/**
 * The newest checkpoint that the quorum has cosigned, of a size in this range. It is judged anew here: not the database's
 * word makes it witnessed, but the signatures on it.
 */
export async function readWitnessed(
  cosigning: Cosigning,
  from = 0,
  to = Number.POSITIVE_INFINITY,
): Promise<CosignedCheckpoint | undefined> {
  const rows = await readCosigned(cosigning.database.kysely);
  return rows.find(
    ({ size, checkpoint }) => size >= from && size <= to && isWitnessed(cosigning, checkpoint),
  );
}

/** Whether the quorum is on this note, and each key that signs the log now. */
export function isWitnessed({ policy, signers }: Omit<Cosigning, "database">, note: string): boolean {
  try {
    const signed = trustedSignatures(parseNote(note), signers.verifiers);
    const everyKey = signers.verifiers.every(({ keyId }) => signed.some((line) => line.keyId === keyId));
    return everyKey && witnessesOf(note, policy).quorum;
  } catch (error) {
    if (hasCode(error, "malformed-checkpoint")) return false;
    throw error;
  }
}

/**
 * Publishes the log's head without the quorum when that has been behind the log for too long, or nothing was
 * published yet: the log stays readable without its witnesses, and says so.
 *
 * Whatever is published is never followed by something smaller: of all that was, the largest is served.
 *
 * @param now milliseconds since the epoch, held against the log's times
 * @param waitedFor how long this node has seen the quorum at this size and no further, in milliseconds: after a clock
 *   that ran ahead the log's times lie in the future, and nothing would ever be late by them
 * @returns whether the quorum is behind
 */
export async function publishIfBehind(
  cosigning: Cosigning,
  now: number,
  waitedFor: (witnessed: number) => number,
): Promise<boolean> {
  const { database } = cosigning;
  const { size, checkpoint } = await readHead(database.kysely);
  const witnessed = (await readWitnessed(cosigning))?.size ?? 0;
  if (size === 0 || witnessed >= size) return false;
  const isLate = waitedFor(witnessed) >= PATIENCE;
  if (witnessed > 0 && !isLate && (await timeOfEntry(database.kysely, witnessed)) > now - PATIENCE)
    return false;
  await keepCosigned(database, (kept) => {
    const same = kept.find((row) => row.size === size);
    const row = { size, checkpoint: same?.checkpoint ?? checkpoint, published: true };
    return survivors(cosigning, [row, ...kept.filter((other) => other !== same)]);
  });
  return true;
}
