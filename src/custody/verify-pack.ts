import type { Digest } from "../in-toto-attestation/index.ts";
import { encodeBase64 } from "../tlog/base64.ts";
import { type Checkpoint, openCheckpoint } from "../tlog/checkpoint.ts";
import { leafHash } from "../tlog/hash.ts";
import { type NoteVerifier, parseNote, parseVerifierKey } from "../tlog/note.ts";
import { verifyInclusion } from "../tlog/proofs.ts";
import { brokenLinks } from "./chain.ts";
import { type ChainKey, type LogEvent, PROJECT_CHAIN } from "./events.ts";
import { openEvent } from "./open-event.ts";
import { type Pack, parsePack, recordName } from "./pack.ts";
import { allHold, failure, nothingFails, type PackCheck, type PackReport, reasonOf } from "./pack-report.ts";
import { newReferences, referenceName, relatedIn } from "./references.ts";
import { reverify } from "./reverify.ts";

/**
 * Checks a custody file offline, needing nothing but the log's verifier key (`name+hash+base64`), which the
 * auditor has from elsewhere. Every byte of a file that holds is accounted for.
 *
 * Throws `invalid-request` for a verifier key that is none and `pack-invalid` for bytes that are no custody
 * file; all else that is wrong is in the report.
 */
export function verifyPack(bytes: Uint8Array, verifierKey: string): PackReport {
  const verifier = parseVerifierKey(verifierKey);
  const pack = parsePack(bytes);
  const { checkpoint, checks: signed } = checkCheckpoint(pack, verifier);
  if (checkpoint === undefined)
    return { ok: false, artifact: pack.artifact, log: null, events: [], checks: signed };

  const { events, checks: proved } = proveEvents(pack, checkpoint);
  const related = relatedOf(pack.artifact, events);
  const checks = [
    ...signed,
    ...proved,
    ...checkOrder(events),
    ...checkChain(pack.artifact, events, `The chain of ${pack.artifact}`),
    ...checkChain(PROJECT_CHAIN, events, "The chain of the project's policy and trust changes"),
    ...related.flatMap((other) =>
      checkChain(other, events, `The chain of ${other}, which verdicts rest on,`),
    ),
    ...checkContents(pack, events, [pack.artifact, PROJECT_CHAIN, ...related]),
    ...reverify(pack, events, related),
  ];
  return {
    ok: nothingFails(checks),
    artifact: pack.artifact,
    log: { origin: checkpoint.origin, size: checkpoint.size, root: encodeBase64(checkpoint.root) },
    events: events.map(({ index, time, type }) => ({ index, time: new Date(time).toISOString(), type })),
    checks,
  };
}

function checkCheckpoint(
  { checkpoint: note }: Pack,
  verifier: NoteVerifier,
): { checkpoint?: Checkpoint; checks: readonly PackCheck[] } {
  try {
    const checkpoint = openCheckpoint(note, verifier.name, [verifier]);
    // A line that nobody can check would be bytes of the file that nothing accounts for.
    if (parseNote(note).signatures.length !== 1) {
      return { checks: [failure("checkpoint", "The checkpoint has signatures besides the log's.")] };
    }
    const { origin, size, root } = checkpoint;
    const statement = `The log ${origin} signed a checkpoint of ${size} entries with the root ${encodeBase64(root)}.`;
    return { checkpoint, checks: [{ check: "checkpoint", status: "holds", statement }] };
  } catch (error) {
    const statement = `The checkpoint is not one that ${verifier.name} signed: ${reasonOf(error)}.`;
    return { checks: [failure("checkpoint", statement)] };
  }
}

/** The events whose leaf is proved to be in the log and whose body is the one that the leaf commits to. */
function proveEvents(
  { records }: Pack,
  checkpoint: Checkpoint,
): { events: readonly LogEvent[]; checks: readonly PackCheck[] } {
  const packed = records.filter((record) => record.case === "event");
  const inclusion: PackCheck[] = [];
  const bodies: PackCheck[] = [];
  const events: LogEvent[] = [];
  for (const record of packed) {
    const { index, leaf, proof } = record;
    try {
      verifyInclusion(leafHash(leaf), index, checkpoint, proof);
    } catch (error) {
      inclusion.push(
        failure("inclusion", `Event ${index} is not proved to be in the log: ${reasonOf(error)}.`, index),
      );
      continue;
    }
    try {
      events.push(openEvent(record));
    } catch (error) {
      bodies.push(failure("body", `Event ${index} is not what the log recorded: ${reasonOf(error)}.`, index));
    }
  }
  const checks = [
    ...allHold("inclusion", inclusion, `All ${packed.length} events are proved to be in that log.`),
    ...allHold("body", bodies, "Each event says what its leaf in the log commits to."),
  ];
  return { events, checks };
}

/** By index and by time, each event once, and all of one project. */
function checkOrder(events: readonly LogEvent[]): readonly PackCheck[] {
  const failures = events.flatMap((event, i) => {
    const before = events[i - 1];
    if (before === undefined) return [];
    if (event.index <= before.index || event.time < before.time) {
      return [failure("order", `Event ${event.index} stands after event ${before.index}.`, event.index)];
    }
    if (event.project !== before.project) {
      return [failure("order", `Event ${event.index} is of another project.`, event.index)];
    }
    return [];
  });
  return allHold("order", failures, "The events stand in the order of the log and are of one project.");
}

/** The artifacts whose chains belong to the file as well. */
function relatedOf(artifact: Digest, events: readonly LogEvent[]): Digest[] {
  try {
    return relatedIn(artifact, events);
  } catch (error) {
    reasonOf(error);
    // Ours: a verdict without the members of its type, which is reported where it is made again.
    return [];
  }
}

function checkChain(key: ChainKey, events: readonly LogEvent[], name: string): readonly PackCheck[] {
  const chain = events.filter(({ about }) => about.includes(key));
  const failures = brokenLinks(key, chain).map(({ index, expected, actual }) =>
    failure(
      "chain",
      `${name} is broken: event ${index} follows ${nameOf(actual)}, and here ${nameOf(expected)}.`,
      index,
    ),
  );
  const [first, last] = [chain[0], chain.at(-1)];
  if (first === undefined || last === undefined) {
    // Nothing need be known yet of what a verdict rests on, nor need a project have changed policy or trust.
    return [];
  }
  return allHold(
    "chain",
    failures,
    `${name} misses no event from its first (${first.index}) to its last here (${last.index}).`,
  );
}

function nameOf(index: number | null | undefined): string {
  return index === null || index === undefined ? "none" : `event ${index}`;
}

/**
 * Every event is of one of these chains, and before it stands what it needs and no event before it did: nothing else. The
 * artifact has at least one: without any it has no custody to show.
 */
function checkContents(
  { artifact, records }: Pack,
  events: readonly LogEvent[],
  chains: readonly ChainKey[],
): readonly PackCheck[] {
  const failures: PackCheck[] = [];
  if (!events.some(({ about }) => about.includes(artifact)))
    failures.push(failure("chain", `The chain of ${artifact} has no event.`));
  const strangers = events.filter(({ about }) => !about.some((key) => chains.includes(key)));
  for (const { index } of strangers) {
    failures.push(
      failure(
        "contents",
        `Event ${index} is not about ${artifact}, nor about what its verdicts rest on.`,
        index,
      ),
    );
  }
  const expected = expectedRecords(artifact, events);
  const actual = records.map(recordName);
  for (const name of without(expected, actual)) failures.push(failure("contents", `There is no ${name}.`));
  for (const name of without(actual, expected)) {
    failures.push(failure("contents", `Nothing that is proved needs ${name}.`));
  }
  failures.push(...falseExpiries(records, events));
  if (failures.length === 0 && actual.join("\n") !== expected.join("\n")) {
    failures.push(failure("contents", "The file's records are repeated or stand in another order."));
  }
  return allHold("contents", failures, "The file holds what its events need, and nothing else.");
}

/** Bytes may be missing where an event of the log says that they were deleted, and nowhere else. */
function falseExpiries(records: Pack["records"], events: readonly LogEvent[]): PackCheck[] {
  const expired = new Map(
    events
      .filter(({ type }) => type === "evidence.expired")
      .map(({ index, body }) => [index, body.attestation]),
  );
  return records.flatMap((record) =>
    record.case !== "expired" || expired.get(record.expired) === record.hash
      ? []
      : [failure("contents", `Event ${record.expired} does not say that evidence ${record.hash} expired.`)],
  );
}

function without(names: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others);
  return names.filter((name) => !known.has(name));
}

function expectedRecords(artifact: Digest, events: readonly LogEvent[]): string[] {
  try {
    const needed = newReferences(artifact, events);
    return events.flatMap((event, i) => [...(needed[i] ?? []).map(referenceName), `event ${event.index}`]);
  } catch (error) {
    reasonOf(error);
    // Ours: an event without the members of its type, which is reported where it is verified again.
    return events.map(({ index }) => `event ${index}`);
  }
}
