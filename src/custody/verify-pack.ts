import { encodeBase64 } from "../tlog/base64.ts";
import type { Checkpoint } from "../tlog/checkpoint.ts";
import { leafHash } from "../tlog/hash.ts";
import { type LogKeys, parseLogKeys } from "../tlog/log-keys.ts";
import { verifyInclusion } from "../tlog/proofs.ts";
import type { WitnessPolicy } from "../tlog/witness-policy.ts";
import type { LogEvent } from "./events.ts";
import { openEvent } from "./open-event.ts";
import { createChainsCheck } from "./pack/chains.ts";
import { checkCheckpoint, checkWitnesses } from "./pack/checkpoint.ts";
import type { ChainEnds } from "./pack/complete.ts";
import { createContentsCheck } from "./pack/contents.ts";
import { createLineCutter } from "./pack/lines.ts";
import { openMaterial } from "./pack/packed-material.ts";
import { parseHeader, parseRecord } from "./pack/parse.ts";
import { invalidLine } from "./pack/parse-line.ts";
import { allHold, failure, nothingFails, type PackCheck, type PackReport, reasonOf } from "./pack/report.ts";
import { MAX_LINE_BYTES, type PackedEvent, type PackHeader, type PackRecord } from "./pack.ts";
import { type AuditorsView, createAuditorsCheck } from "./replay/auditors-view.ts";
import { createReplay } from "./replay/reverify.ts";

/** Checks a custody file as it is read: each event is verified when its line has come. */
export interface PackVerifier {
  /** Takes the file's next bytes, cut anywhere. Throws `pack-invalid` for what is no custody file. */
  read(bytes: Uint8Array): void;
  /** How many records were read, of how many. */
  progress(): { readonly done: number; readonly of: number };
  /** After the last bytes. Throws `pack-invalid` for what is no custody file. */
  finish(): PackReport;
  /** After `finish`, where the chains end, for `checkComplete`. Undefined where nothing was proved. */
  ends(): ChainEnds | undefined;
}

/** What an auditor asks besides. */
export interface PackDemands extends AuditorsView {
  /** Whose cosignatures the checkpoint must have. */
  readonly witnesses?: WitnessPolicy;
}

/**
 * Opens the verification of a custody file, offline, needing nothing but the log's verifier key (`name+hash+base64`,
 * or several, one a line, while keys overlap), which the auditor has from elsewhere. Every byte of a file that holds is accounted for. What is held in memory is what the
 * replay needs: evidence, policies and trust, and no event that has been replayed.
 *
 * Throws `invalid-request` for a verifier key that is none.
 */
export function openPackVerifier(verifierKeys: string, demands: PackDemands = {}): PackVerifier {
  const keys = parseLogKeys(verifierKeys);
  const lines = createLineCutter(MAX_LINE_BYTES);
  let run: Run | undefined;
  let line = 0;

  function take(bytes: Uint8Array): void {
    line += 1;
    if (run === undefined) run = startRun(parseHeader(bytes), keys, demands);
    else run.record(parseRecord(bytes, line));
  }

  function cut(bytes: Uint8Array): Uint8Array[] {
    try {
      return lines.push(bytes);
    } catch (cause) {
      throw invalidLine(line + 1, "it is too long", cause);
    }
  }

  return {
    read(bytes) {
      for (const one of cut(bytes)) take(one);
    },
    progress: () => ({ done: Math.max(0, line - 1), of: run?.total ?? 0 }),
    finish() {
      if (!lines.isAtEnd()) throw invalidLine(line + 1, "the file breaks off");
      if (run === undefined) throw invalidLine(1, "the file is empty");
      return run.report();
    },
    ends: () => run?.ends(),
  };
}

/** The same of a file that is in memory. */
export function verifyPack(bytes: Uint8Array, verifierKeys: string, demands?: PackDemands): PackReport {
  const verifier = openPackVerifier(verifierKeys, demands);
  verifier.read(bytes);
  return verifier.finish();
}

interface Run {
  /** How many records the header counts. */
  readonly total: number;
  record(record: PackRecord): void;
  report(): PackReport;
  ends(): ChainEnds | undefined;
}

function startRun(header: PackHeader, keys: LogKeys, demands: PackDemands): Run {
  const total = Object.values(header.records).reduce((sum, count) => sum + count, 0);
  const { artifact } = header;
  const { checkpoint, checks: signed } = checkCheckpoint(header, keys);
  if (checkpoint === undefined) {
    // Without a tree nothing can be proved, and what is not proved is not looked at.
    const report = { ok: false, artifact, log: null, events: [], checks: signed };
    return { total, record: () => {}, report: () => report, ends: () => undefined };
  }

  const material = openMaterial();
  const inclusion = createInclusionCheck(checkpoint);
  const chains = createChainsCheck(header);
  const contents = createContentsCheck(header, material);
  const replay = createReplay(artifact, header.related, material);
  const auditors = createAuditorsCheck(demands, material);
  const events: PackReport["events"][number][] = [];
  return {
    total,
    record(record) {
      contents.stands(record);
      if (record.case !== "event") return material.add(record);
      const event = inclusion.open(record);
      if (event === undefined) return;
      events.push({ index: event.index, time: new Date(event.time).toISOString(), type: event.type });
      chains.proved(event);
      contents.proved(event);
      replay.proved(event);
      auditors.proved(event);
    },
    report() {
      const checks = [
        ...signed,
        ...(demands.witnesses === undefined ? [] : [checkWitnesses(header, demands.witnesses)]),
        ...inclusion.checks(),
        ...chains.checks(),
        ...contents.checks(),
        ...replay.checks(),
        ...auditors.checks(replay.standing()),
      ];
      const { origin, size, root } = checkpoint;
      const log = { origin, size, root: encodeBase64(root) };
      return { ok: nothingFails(checks), artifact, log, events, checks };
    },
    ends: () => chains.ends(checkpoint),
  };
}

interface InclusionCheck {
  /** The event, if its leaf is proved to be in the log and its body is the one that the leaf commits to. */
  open(record: PackedEvent): LogEvent | undefined;
  checks(): readonly PackCheck[];
}

function createInclusionCheck(checkpoint: Checkpoint): InclusionCheck {
  const inclusion: PackCheck[] = [];
  const bodies: PackCheck[] = [];
  let count = 0;
  return {
    open(record) {
      const { index, leaf, proof } = record;
      count += 1;
      try {
        verifyInclusion(leafHash(leaf), index, checkpoint, proof);
      } catch (error) {
        const statement = `Event ${index} is not proved to be in the log: ${reasonOf(error)}.`;
        inclusion.push(failure("inclusion", statement, index));
        return undefined;
      }
      try {
        return openEvent(record);
      } catch (error) {
        const statement = `Event ${index} is not what the log recorded: ${reasonOf(error)}.`;
        bodies.push(failure("body", statement, index));
        return undefined;
      }
    },
    checks: () => [
      ...allHold("inclusion", inclusion, `All ${count} events are proved to be in that log.`),
      ...allHold("body", bodies, "Each event says what its leaf in the log commits to."),
    ],
  };
}
