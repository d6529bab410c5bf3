import type { LogKeys } from "../tlog/log-keys.ts";
import type { ServedLog } from "../tlog/served-log.ts";
import type { WitnessPolicy } from "../tlog/witness-policy.ts";
import type { Alarm, AlarmKind } from "./alarm.ts";
import type { EventPage } from "./event-page.ts";
import type { MonitorState, Trouble } from "./state.ts";
import type { Watch } from "./watch.ts";

/** One log, followed from outside. */
export interface Monitor {
  /** The log's verifier keys as somebody gave them by hand, one a line, and the same read. */
  readonly trusted: string;
  readonly keys: LogKeys;
  readonly log: ServedLog;
  /** What proves which keys sign for the log: the answer of `GET /log/keys`. */
  readonly readKeys: () => Promise<Uint8Array>;
  /** The project's events after an index, a page of them; absent without an auditor's token. */
  readonly readEvents?: (after: number | undefined) => Promise<EventPage>;
  readonly watch: Watch;
  /** Those whose cosignatures a checkpoint needs; absent where none are asked for. */
  readonly witnesses?: WitnessPolicy;
  readonly memory: Memory;
  /** Milliseconds that a trouble may last before it is an alarm. */
  readonly patience: number;
  /** Milliseconds in which the log must have grown; absent where it need not. */
  readonly maxAge?: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** What a monitor keeps between rounds, and over crashes. */
export interface Memory {
  readonly state: MonitorState;
  /** When it resolves the new state is on the disk: whatever is said after that will not be forgotten. */
  save(changes: Partial<MonitorState>): Promise<void>;
  /** Keeps notes, byte for byte, where they can be shown to others, and gives the files' paths. */
  keepNotes(...notes: readonly string[]): Promise<readonly string[]>;
}

const ALARM_OF: Readonly<Record<Trouble, AlarmKind>> = {
  older: "rollback",
  unwitnessed: "unwitnessed",
  unreachable: "unreachable",
};

/** Notes whether a trouble is there, and gives the alarm when it lasts too long. */
export async function* lasting(
  { memory, clock, patience }: Monitor,
  trouble: Trouble,
  message: string | undefined,
): AsyncGenerator<Alarm> {
  const { [trouble]: begun, ...others } = memory.state.since;
  if (message === undefined) {
    if (begun !== undefined) await memory.save({ since: others });
    return;
  }
  const since = begun ?? clock();
  if (begun === undefined) await memory.save({ since: { ...others, [trouble]: since } });
  if (clock() - since < patience) return;
  yield { alarm: ALARM_OF[trouble], message: `${message}, since ${new Date(since).toISOString()}.` };
}
