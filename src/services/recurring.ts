import { unlessUnavailable } from "../errors.ts";
import { refreshAllTrust } from "./activation/refresh-trust.ts";
import { createPolicyWatch } from "./activation/reload-policies.ts";
import type { Vouchsafe } from "./context.ts";
import { reevaluateEnded } from "./decisions/reevaluate.ts";
import { sweepByItself } from "./evidence/expire-evidence.ts";
import { refreshBundles } from "./federation/refresh-bundles.ts";
import { publishCrls } from "./identities/crls.ts";
import { keepSweeping } from "./identities/keep-sweeping.ts";
import { watchLogKeys } from "./log/watch-log-keys.ts";

// Intervals, in milliseconds.

/**
 * How often the log's keys and authorities are looked at, and revocations are sought that no list has, and its newest
 * checkpoint is submitted to its witnesses at most.
 */
const SECOND = 1_000;
/** How often the files of an authority are read again that is given. */
const REREAD = 10_000;
/** How often a watched policy directory is looked at. */
const LOOK = 2_000;
/** How often bundles of other trust domains are sought that are due. */
const DUE = 5_000;
/** How often passes are sought that have ended. */
const ENDED = 30_000;
/** How often evidence is sought that nothing keeps any more: classes are counted in days. */
const SWEEP = 3_600_000;
/** How often TUF repositories are asked: their timestamps hold for days. */
const DAY = 24 * 3_600_000;

/** Starts what a node does by itself, now and then again. Returns what stops it. */
export function startRecurring(v: Vouchsafe): () => void {
  const { config, witnesses } = v;
  const stops: (() => void)[] = [];
  const each = (interval: number, work: (signal: AbortSignal) => Promise<void>) =>
    stops.push(repeat(v, interval, work));

  if (config.tuf === "auto") each(DAY, (signal) => refreshAllTrust(v, signal));
  if (config.policiesReload === "watch") each(LOOK, createPolicyWatch(v));
  each(SECOND, () => watchLogKeys(v));
  const turnAuthority = () => v.authority.turn().catch(unlessUnavailable);
  each(
    SECOND,
    toldOnce(v, "this node's authorities cannot be brought to where they should be", turnAuthority),
  );
  each(REREAD, toldOnce(v, "the files of this node's authority are not taken", v.authority.reread));
  if (witnesses !== undefined) each(SECOND, () => witnesses.turn(v).catch(unlessUnavailable));
  each(DUE, (signal) => refreshBundles(v, signal).catch(unlessUnavailable));
  each(SECOND, () => publishCrls(v).catch(unlessUnavailable));
  each(ENDED, (signal) => reevaluateEnded(v, signal));
  each(SWEEP, (signal) => sweepByItself(v, signal));
  const sweep = new AbortController();
  v.background((signal) => keepSweeping(v, AbortSignal.any([signal, sweep.signal])));
  stops.push(() => sweep.abort());
  return () => {
    for (const stop of stops) stop();
  };
}

/** In the background, now and then again after each interval; never twice at once. Returns what stops it. */
function repeat(v: Vouchsafe, interval: number, work: (signal: AbortSignal) => Promise<void>): () => void {
  let isRunning = false;
  const run = () => {
    if (isRunning) return;
    isRunning = true;
    v.background((signal) =>
      work(signal).finally(() => {
        isRunning = false;
      }),
    );
  };
  run();
  const timer = setInterval(run, interval);
  return () => clearInterval(timer);
}

/** What goes wrong again and again is told as it begins. */
function toldOnce({ report }: Vouchsafe, problem: string, work: () => Promise<void>): () => Promise<void> {
  let isTold = false;
  return async () => {
    try {
      await work();
      isTold = false;
    } catch (cause) {
      if (!isTold) report(problem, cause);
      isTold = true;
    }
  };
}
