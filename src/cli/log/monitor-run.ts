import { setTimeout as sleep } from "node:timers/promises";
import type { Alarm } from "../../monitor/alarm.ts";
import { openMemory, requireFit } from "../../monitor/memory.ts";
import type { Monitor } from "../../monitor/monitor.ts";
import { type RoundEnd, runRound } from "../../monitor/round.ts";
import { parseLogKeys } from "../../tlog/log-keys.ts";
import { durationIn } from "../arguments/duration.ts";
import { readLogKey } from "../arguments/log-key.ts";
import { readWitnesses } from "../arguments/witnesses.ts";
import { findToken } from "../credentials.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Terminal } from "../output/terminal.ts";
import type { Session } from "../session.ts";
import { UsageError } from "../usage-error.ts";
import { eventsOf, servedBy } from "./server.ts";
import { readWatch, type WatchOptions } from "./watch-options.ts";

export interface MonitorOptions extends WatchOptions {
  readonly logKey: string;
  readonly state: string;
  readonly interval: string;
  readonly once?: boolean;
  readonly witnesses?: string;
  readonly patience: string;
  readonly maxAge?: string;
}

/** Milliseconds between two looks at a server that does not answer, at most. */
const LONGEST_WAIT = 5 * 60_000;
const MAX_KEYS_BYTES = 16 * 1024 * 1024;

/** Follows a log and tells the alarms. */
export async function monitorLog(session: Session, options: MonitorOptions): Promise<ExitCode> {
  const { terminal, json } = session;
  const { interval, ...monitor } = await readOptions(session, options);
  const memory = await openMemory(options.state, Date.now());
  try {
    const opened: Monitor = { ...monitor, memory };
    requireFit(opened);
    const tell = teller(terminal, json);
    return options.once ? await once(opened, session, tell) : await follow(opened, session, tell, interval);
  } finally {
    memory.close();
  }
}

async function readOptions(
  { client, server }: Session,
  options: MonitorOptions,
): Promise<Omit<Monitor, "memory"> & { readonly interval: number }> {
  const { witnesses, maxAge } = options;
  const connected = client();
  const hasToken = findToken(server(), process.env) !== undefined;
  const trusted = await readLogKey(options.logKey);
  return {
    trusted,
    keys: parseLogKeys(trusted),
    log: servedBy(connected),
    readKeys: () => connected.readBytes("/log/keys", MAX_KEYS_BYTES),
    ...(hasToken && { readEvents: (after: number | undefined) => eventsOf(connected, after) }),
    watch: readWatch(options),
    ...(witnesses !== undefined && {
      witnesses: await readWitnesses(witnesses),
    }),
    patience: durationOf("--patience", options.patience),
    ...(maxAge !== undefined && { maxAge: durationOf("--max-age", maxAge) }),
    interval: durationOf("--interval", options.interval),
    clock: Date.now,
  };
}

function durationOf(option: string, text: string): number {
  const duration = durationIn(text, /^([1-9][0-9]{0,5})([smhd])$/);
  if (duration === undefined)
    throw new UsageError(`${option} takes a duration such as 30s or 10m, and not ${text}`);
  return duration;
}

type Tell = (alarm: Alarm) => void;

function teller(terminal: Terminal, json: boolean): Tell {
  return ({ alarm, ...facts }) => {
    const time = new Date().toISOString();
    if (json) return terminal.printJson({ alarm, time, ...facts });
    const { message, evidence = [] } = facts;
    terminal.print([`ALARM ${alarm} ${time}`, message, ...evidence].join(" "), "bad");
  };
}

/** Runs one round and tells its alarms, but for those that the round before had as well. */
async function tellRound(
  monitor: Monitor,
  { terminal }: Session,
  tell: Tell,
  before: ReadonlySet<string>,
): Promise<{ readonly end: RoundEnd; readonly standing: ReadonlySet<string> }> {
  const standing = new Set<string>();
  const round = runRound(monitor);
  for (;;) {
    const { done, value } = await round.next();
    if (done) {
      if (value.case === "more") terminal.progress(`${monitor.memory.state.read.size} entries read`);
      return { end: value, standing };
    }
    const name = `${value.alarm} ${value.message}`;
    if (!before.has(name) && !standing.has(name)) tell(value);
    standing.add(name);
  }
}

async function once(monitor: Monitor, session: Session, tell: Tell): Promise<ExitCode> {
  let alarms = 0;
  for (let told: ReadonlySet<string> = new Set(); ; ) {
    const { end, standing } = await tellRound(monitor, session, tell, told);
    alarms += standing.size;
    told = standing;
    if (end.case === "more") continue;
    if (end.case === "unknown") session.terminal.note(`error: ${end.reason}`, "bad");
    else summarize(monitor, session, alarms);
    if (alarms > 0) return EXIT.refused;
    return end.case === "unknown" ? EXIT.failed : EXIT.ok;
  }
}

function summarize({ keys: { origin }, memory }: Monitor, { terminal, json }: Session, alarms: number): void {
  const { read, project } = memory.state;
  if (json) terminal.printJson({ origin, read: read.size, project, alarms });
  else {
    const events = project === null ? "" : `, and the events of project ${project}`;
    const mark = alarms === 0 ? "good" : "bad";
    terminal.print(`read ${read.size} entries of ${origin}${events}: ${alarms} alarms`, mark);
  }
}

async function follow(monitor: Monitor, session: Session, tell: Tell, interval: number): Promise<ExitCode> {
  const { terminal } = session;
  const { origin } = monitor.keys;
  terminal.note(
    `following ${origin} at ${session.server()}, from ${monitor.memory.state.read.size} entries on`,
  );
  let failures = 0;
  for (let told: ReadonlySet<string> = new Set(); !terminal.readerLeft.aborted; ) {
    const { end, standing } = await tellRound(monitor, session, tell, told);
    told = standing;
    if (end.case === "unknown") {
      if (failures === 0) terminal.note(`${end.reason}; trying again`);
      failures += 1;
    } else failures = 0;
    const wait = Math.min(interval * 2 ** failures, Math.max(interval, LONGEST_WAIT));
    if (end.case !== "more") await sleep(wait, undefined, { signal: terminal.readerLeft }).catch(() => {});
  }
  // Only alarms are written: this one found nobody.
  return EXIT.refused;
}
