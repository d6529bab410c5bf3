import type { Digest } from "../../in-toto-attestation/index.ts";
import type { ChainKey, LogEvent } from "../events.ts";
import { PROJECT_CHAIN } from "../events.ts";
import {
  type ExpiredEvidence,
  kindOf,
  type PackHeader,
  type PackRecord,
  RECORD_KINDS,
  type RecordKind,
  recordName,
} from "../pack.ts";
import { createNeeds, referenceName, relatedBy } from "../references.ts";
import type { PackedMaterial } from "./packed-material.ts";
import { allHold, failure, type PackCheck, reasonOf } from "./report.ts";

/** Whether a file has the records that its events need and its header counts, each once and in its place. */
export interface ContentsCheck {
  /** A record as it stands in the file. */
  stands(record: PackRecord): void;
  /** An event that is proved, after `stands` was given its record. */
  proved(event: LogEvent): void;
  checks(): readonly PackCheck[];
}

export function createContentsCheck(
  { artifact, related, records }: PackHeader,
  material: Pick<PackedMaterial, "altered">,
): ContentsCheck {
  const chains = new Set<ChainKey>([artifact, PROJECT_CHAIN, ...related]);
  const needs = createNeeds(artifact, related);
  const failures: PackCheck[] = [];
  const counts: Record<RecordKind, number> = { event: 0, evidence: 0, manifest: 0, policy: 0, trust: 0 };
  const present = new Set<string>();
  const needed = new Set<string>();
  const found = new Set<Digest>();
  const expired: ExpiredEvidence[] = [];
  /** By the indexes of the events that say so. */
  const expiries = new Map<number, unknown>();
  /** The names of the records since the last event. */
  let waiting: string[] = [];
  let isInOrder = true;

  function add(statement: string, event?: number): void {
    failures.push(failure("contents", statement, event));
  }

  return {
    stands(record) {
      counts[kindOf(record)] += 1;
      if (record.case === "event") return;
      if (record.case === "expired") expired.push(record);
      waiting.push(recordName(record));
      present.add(recordName(record));
    },
    proved(event) {
      const { index, type, about, body } = event;
      if (!about.some((key) => chains.has(key)))
        add(`Event ${index} is not about ${artifact}, nor about what its verdicts rest on.`, index);
      if (type === "evidence.expired") expiries.set(index, body.attestation);
      const names = orNone(() => needs(event).map(referenceName));
      for (const digest of orNone(() => relatedBy(artifact, event))) found.add(digest);
      for (const name of names) needed.add(name);
      isInOrder &&= waiting.join("\n") === names.join("\n");
      waiting = [];
    },
    checks() {
      for (const name of without(needed, present)) add(`There is no ${name}.`);
      for (const name of without(present, needed)) add(`Nothing that is proved needs ${name}.`);
      for (const name of material.altered()) add(`The ${name} was altered.`);
      for (const kind of RECORD_KINDS.filter((one) => counts[one] !== records[one]))
        add(`The file has ${counts[kind]} records of kind ${kind}, and its header counts ${records[kind]}.`);
      if (related.join() !== [...found].sort().join())
        add("The header names other artifacts than those that the verdicts rest on.");
      for (const { hash, expired: index } of expired.filter((one) => expiries.get(one.expired) !== one.hash))
        add(`Event ${index} does not say that evidence ${hash} expired.`);
      if (failures.length === 0 && (!isInOrder || waiting.length > 0))
        add("The file's records are repeated or stand in another order.");
      return allHold("contents", failures, "The file holds what its events need, and nothing else.");
    },
  };
}

function without(names: ReadonlySet<string>, others: ReadonlySet<string>): string[] {
  return [...names].filter((name) => !others.has(name));
}

/** None for an event without the members of its type, which is reported where it is verified again. */
function orNone<T>(read: () => readonly T[]): readonly T[] {
  try {
    return read();
  } catch (error) {
    reasonOf(error);
    return [];
  }
}
