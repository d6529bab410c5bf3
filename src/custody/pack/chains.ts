import type { Checkpoint } from "../../tlog/checkpoint.ts";
import { type ChainKey, type LogEvent, PROJECT_CHAIN } from "../events.ts";
import type { PackHeader } from "../pack.ts";
import { followChain } from "./chain.ts";
import type { ChainEnds } from "./complete.ts";
import { allHold, failure, type PackCheck } from "./report.ts";

/** Whether the events of a file, each proved by itself, are its chains: in order, of one project, and none missing in between. */
export interface ChainsCheck {
  proved(event: LogEvent): void;
  checks(): readonly PackCheck[];
  /** Undefined where there is no event at all. */
  ends(tree: Checkpoint): ChainEnds | undefined;
}

export function createChainsCheck({ artifact, related }: PackHeader): ChainsCheck {
  const chains = new Map(
    [artifact, PROJECT_CHAIN, ...related].map((key) => [
      key,
      { follower: followChain(key), name: nameOf(key, artifact), failures: [] as PackCheck[] },
    ]),
  );
  const outOfOrder: PackCheck[] = [];
  /** Of each event, in how many chains it stands that are not in the file. */
  const events = new Map<number, { readonly elsewhere: number }>();
  /** The last events of the chains, by their keys. */
  const lasts = new Map<ChainKey, number>();
  let before: Pick<LogEvent, "index" | "time" | "project"> | undefined;

  return {
    proved(event) {
      events.set(event.index, { elsewhere: event.about.filter((key) => !chains.has(key)).length });
      outOfOrder.push(...checkOrder(before, event));
      before = { index: event.index, time: event.time, project: event.project };
      for (const key of event.about) {
        const chain = chains.get(key);
        if (chain === undefined) continue;
        lasts.set(key, event.index);
        const { follower, name, failures } = chain;
        const broken = follower.follow(event);
        if (broken === undefined) continue;
        const { index, expected, actual } = broken;
        const statement = `${name} is broken: event ${index} follows ${eventName(actual)}, and here ${eventName(expected)}.`;
        failures.push(failure("chain", statement, index));
      }
    },
    checks() {
      const order = "The events stand in the order of the log and are of one project.";
      const linked = [...chains].flatMap(([key, { follower, name, failures }]) => {
        const ends = follower.ends();
        // Nothing need be known yet of what a verdict rests on, nor need a project have changed policy or trust.
        if (ends === undefined) return key === artifact ? [failure("chain", `${name} has no event.`)] : [];
        const { first, last } = ends;
        const whole = `${name} misses no event from its first (${first}) to its last here (${last}).`;
        return allHold("chain", failures, whole);
      });
      return [...allHold("order", outOfOrder, order), ...linked];
    },
    ends(tree) {
      if (before === undefined || lasts.size === 0) return undefined;
      const empty = [...chains].flatMap(([key, { follower }]) =>
        follower.ends() === undefined ? [key] : [],
      );
      return { tree, project: before.project, events, lasts: new Set(lasts.values()), empty };
    },
  };
}

/** By index and by time, each event once, and all of one project. */
function checkOrder(
  before: Pick<LogEvent, "index" | "time" | "project"> | undefined,
  { index, time, project }: LogEvent,
): readonly PackCheck[] {
  if (before === undefined) return [];
  if (index <= before.index || time < before.time)
    return [failure("order", `Event ${index} stands after event ${before.index}.`, index)];
  if (project !== before.project) return [failure("order", `Event ${index} is of another project.`, index)];
  return [];
}

function nameOf(key: ChainKey, artifact: ChainKey): string {
  if (key === PROJECT_CHAIN) return "The chain of the project's policy and trust changes";
  return key === artifact ? `The chain of ${key}` : `The chain of ${key}, which verdicts rest on,`;
}

function eventName(index: number | null | undefined): string {
  return index === null || index === undefined ? "none" : `event ${index}`;
}
