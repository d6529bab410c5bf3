import { encodeBase64 } from "../../tlog/base64.ts";
import type { Checkpoint } from "../../tlog/checkpoint.ts";
import { type LogKeys, openLogCheckpoint } from "../../tlog/log-keys.ts";
import type { NoteSignature } from "../../tlog/note.ts";
import { keyLabel } from "../../tlog/verifier-key.ts";
import type { WitnessPolicy } from "../../tlog/witness-policy.ts";
import { witnessesOf } from "../../tlog/witnesses.ts";
import { failure, type PackCheck, reasonOf } from "./report.ts";

/** The checkpoint of a file, if one of the log's keys signed it. */
export function checkCheckpoint(
  { checkpoint: note }: { readonly checkpoint: string },
  keys: LogKeys,
): { checkpoint?: Checkpoint; checks: readonly PackCheck[] } {
  try {
    const checkpoint = openLogCheckpoint(note, keys);
    const { origin, size, root, others } = checkpoint;
    const statement =
      `The log ${origin} signed a checkpoint of ${size} entries with the root ${encodeBase64(root)}` +
      `${othersText(others)}.`;
    return { checkpoint, checks: [{ check: "checkpoint", status: "holds", statement }] };
  } catch (error) {
    const statement = `The checkpoint is not one that ${keys.origin} signed: ${reasonOf(error)}.`;
    return { checks: [failure("checkpoint", statement)] };
  }
}

/** Other signatures are told: further keys of the log, and witnesses. Nothing here rests on them. */
function othersText(others: readonly NoteSignature[]): string {
  if (others.length === 0) return "";
  return `; besides, it has signatures of other keys, which were not checked: ${others.map(keyLabel).join(", ")}`;
}

/** Whether enough of the witnesses that the auditor believes have cosigned the checkpoint. */
export function checkWitnesses(
  { checkpoint: note }: { readonly checkpoint: string },
  policy: WitnessPolicy,
): PackCheck {
  try {
    const { cosigned, quorum } = witnessesOf(note, policy);
    const who = cosigned.map(({ witness, time }) => `${witness} (${timeText(time)})`);
    const statement = `The checkpoint was cosigned by ${who.length === 0 ? "none of the witnesses given" : who.join(", ")}`;
    return quorum
      ? { check: "witnesses", status: "holds", statement: `${statement}, which is enough.` }
      : failure("witnesses", `${statement}, which is not enough.`);
  } catch (error) {
    return failure("witnesses", `The checkpoint's cosignatures do not hold: ${reasonOf(error)}.`);
  }
}

/** A witness may name a second that is no date. */
function timeText(seconds: number): string {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? `second ${seconds}` : time.toISOString();
}
