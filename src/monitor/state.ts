import { VouchsafeError } from "../errors.ts";
import { canonicalJson, isJsonObject, type JsonObject, parseJson } from "../in-toto-attestation/index.ts";
import { decodeBase64, encodeBase64 } from "../tlog/base64.ts";
import { parseCheckpoint } from "../tlog/checkpoint.ts";
import { decodeFrontier, EMPTY_FRONTIER, encodePeaks, type Frontier } from "../tlog/frontier.ts";
import { parseNote } from "../tlog/note.ts";

/** What may last for a while before it is an alarm. */
const TROUBLES = ["older", "unwitnessed", "unreachable"] as const;
export type Trouble = (typeof TROUBLES)[number];

/** All that a monitor must not forget. */
export interface MonitorState {
  /** The newest checkpoint that was verified, a signed note; null before the first. */
  readonly checkpoint: string | null;
  /** When the tree was last seen to have grown: milliseconds since the epoch. */
  readonly grewAt: number;
  /** The entries that were read: all before its size, and they are in the tree of the checkpoint. */
  readonly read: Frontier;
  /** The project whose events are followed as well. */
  readonly project: string | null;
  /** Since when each trouble lasts: milliseconds since the epoch. */
  readonly since: Readonly<Partial<Record<Trouble, number>>>;
}

const FORMAT = "vouchsafe-monitor/v1";

export function newState(now: number): MonitorState {
  return { checkpoint: null, grewAt: now, read: EMPTY_FRONTIER, project: null, since: {} };
}

export function formatState({ checkpoint, grewAt, read, project, since }: MonitorState): string {
  const { size } = read;
  const peaks = encodeBase64(encodePeaks(read));
  const state = { format: FORMAT, checkpoint, grewAt, read: { size, peaks }, project, since: { ...since } };
  return `${canonicalJson(state)}\n`;
}

/** Reads exactly what `formatState` writes. Throws `configuration-invalid`: whoever goes on without it knows nothing. */
export function parseState(text: string): MonitorState {
  try {
    const value = parseJson(Buffer.from(text));
    if (!isJsonObject(value) || value.format !== FORMAT) throw new RangeError("another format");
    const state = readState(value);
    if (formatState(state) !== text) throw new RangeError("not as it was written");
    return state;
  } catch (cause) {
    throw new VouchsafeError("configuration-invalid", "The monitor's state is damaged", { cause });
  }
}

function readState({ checkpoint, grewAt, read, project, since }: JsonObject): MonitorState {
  if (typeof checkpoint === "string") parseCheckpoint(parseNote(checkpoint).text);
  else if (checkpoint !== null) throw new RangeError("no checkpoint");
  if (project !== null && typeof project !== "string") throw new RangeError("no project");
  if (!isJsonObject(read) || !isJsonObject(since)) throw new RangeError("no object");
  const peaks = decodeBase64(String(read.peaks));
  if (peaks === undefined) throw new RangeError("no peaks");
  return {
    checkpoint,
    grewAt: Number(grewAt),
    read: decodeFrontier(Number(read.size), peaks),
    project,
    since: Object.fromEntries(
      TROUBLES.flatMap((trouble) => (trouble in since ? [[trouble, Number(since[trouble])]] : [])),
    ),
  };
}
