import { sha256 } from "../in-toto-attestation/index.ts";
import { encodeBase64 } from "../tlog/base64.ts";
import type { Checkpoint } from "../tlog/checkpoint.ts";
import { type Frontier, grow } from "../tlog/frontier.ts";
import { leafHash } from "../tlog/hash.ts";
import { type LogKeys, parseLogKeys } from "../tlog/log-keys.ts";
import { verifyRange } from "../tlog/range.ts";
import { decodeLeaf, type Leaf } from "./leaf.ts";
import type { ExportHeader } from "./log-export.ts";
import { openEvent } from "./open-event.ts";
import { checkCheckpoint } from "./pack/checkpoint.ts";
import { createLineCutter } from "./pack/lines.ts";
import { attempt, invalidLine } from "./pack/parse-line.ts";
import { allHold, failure, nothingFails, notReVerifiable, type PackCheck, reasonOf } from "./pack/report.ts";
import { MAX_LINE_BYTES, type Material, recordName } from "./pack.ts";
import { type ExportRecord, parseExportHeader, parseExportRecord } from "./parse-log-export.ts";
import { broughtBy, referenceName } from "./references.ts";

/** What an offline verification of a range found. `ok` says that nothing fails. */
export interface ExportReport {
  readonly ok: boolean;
  /** The log that vouches for the range, and its size and root (base64) as of the file's checkpoint. */
  readonly log: { readonly origin: string; readonly size: number; readonly root: string } | null;
  readonly from: number;
  readonly to: number;
  readonly project: string | null;
  readonly checks: readonly PackCheck[];
}

/** Checks an exported range as it is read, in the memory of some entries. */
export interface ExportVerifier {
  /** Takes the file's next bytes, cut anywhere. Throws `pack-invalid` for what is no such file. */
  read(bytes: Uint8Array): void;
  /** How many entries were read, of how many. */
  progress(): { readonly done: number; readonly of: number };
  /** After the last bytes. Throws `pack-invalid` for what is no such file. */
  finish(): ExportReport;
}

/** Leaf hashes that the tree is grown by at a time. */
const BATCH = 256;

/**
 * Opens the verification of an exported range, offline, needing nothing but the log's verifier keys. Throws
 * `invalid-request` for keys that are none.
 */
export function openExportVerifier(verifierKeys: string): ExportVerifier {
  const keys = parseLogKeys(verifierKeys);
  const lines = createLineCutter(MAX_LINE_BYTES);
  let run: ReturnType<typeof startRun> | undefined;
  let line = 0;

  return {
    read(bytes) {
      for (const one of attempt(line + 1, () => lines.push(bytes))) {
        line += 1;
        if (run === undefined) run = startRun(parseExportHeader(one), keys);
        else run.record(parseExportRecord(one, line));
      }
    },
    progress: () => run?.progress() ?? { done: 0, of: 0 },
    finish() {
      if (run === undefined || !lines.isAtEnd()) throw invalidLine(line + 1, "the file breaks off");
      return run.report();
    },
  };
}

function startRun(header: ExportHeader, keys: LogKeys) {
  const { before, to, project } = header;
  const { checkpoint, checks: signed } = checkCheckpoint(header, keys);
  const contents = createContents(project);
  const bodies: PackCheck[] = [];
  const order: PackCheck[] = [];
  let grown = before;
  let hashes: Uint8Array[] = [];
  let next = before.size;
  let time = 0;

  function entry(record: Exclude<ExportRecord, Material>): void {
    const { index, leaf: bytes } = record;
    if (index !== next) order.push(failure("order", `Entry ${index} stands where ${next} belongs.`, index));
    next += 1;
    hashes.push(leafHash(bytes));
    if (hashes.length === BATCH) {
      grown = grow(grown, hashes).after;
      hashes = [];
    }
    try {
      const leaf = decodeLeaf(bytes);
      if (leaf.time < time)
        order.push(failure("order", `Entry ${index} is older than the one before it.`, index));
      time = leaf.time;
      contents.entry(record, leaf);
    } catch (error) {
      bodies.push(failure("body", `Entry ${index} is not what the log recorded: ${reasonOf(error)}.`, index));
    }
  }

  function checks(): readonly PackCheck[] {
    const events = project === null ? "" : ` The events are all that the project ${project} has there.`;
    return [
      ...signed,
      ...(checkpoint === undefined ? [] : [checkRange(grown, hashes, header, checkpoint)]),
      ...allHold("order", order, "The entries stand in the order of the log, by index and by time."),
      ...allHold("body", bodies, `Each event says what its leaf in the log commits to.${events}`),
      ...contents.checks(),
    ];
  }

  return {
    record(record: ExportRecord) {
      if (record.case === "entry" || record.case === "event") entry(record);
      else contents.material(record);
    },
    progress: () => ({ done: next - before.size, of: to - before.size }),
    report(): ExportReport {
      const found = checks();
      const ok = nothingFails(found);
      const tree = checkpoint && {
        origin: checkpoint.origin,
        size: checkpoint.size,
        root: encodeBase64(checkpoint.root),
      };
      return { ok, log: tree ?? null, from: before.size, to, project, checks: found };
    },
  };
}

function checkRange(
  grown: Frontier,
  hashes: readonly Uint8Array[],
  { before, to, proof }: ExportHeader,
  checkpoint: Checkpoint,
): PackCheck {
  const [asked, given] = [to - before.size, grown.size + hashes.length - before.size];
  const range = `${asked} entries of that log from entry ${before.size} on`;
  if (given !== asked) return failure("inclusion", `Of the ${range} the file has ${given}.`);
  try {
    verifyRange(grown, hashes, checkpoint, proof);
    return { check: "inclusion", status: "holds", statement: `These are the ${range}, every one.` };
  } catch (error) {
    return failure("inclusion", `These are not the ${range}: ${reasonOf(error)}.`);
  }
}

/** Before each event stand the bytes that came into the log with it, and nothing else. */
function createContents(project: string | null) {
  const found: PackCheck[] = [];
  const expired: PackCheck[] = [];
  let before: Material[] = [];

  return {
    material: (material: Material) => void before.push(material),
    /** Throws what `openEvent` does. */
    entry(record: Exclude<ExportRecord, Material>, leaf: Leaf): void {
      const { index } = record;
      const given = before;
      before = [];
      const isOwn = leaf.project === project;
      if (isOwn !== (record.case === "event"))
        found.push(failure("contents", `Entry ${index} is ${isOwn ? "" : "not "}the project's.`, index));
      const event = record.case === "event" ? openEvent(record) : undefined;
      const brought = event && broughtBy(event);
      const [material] = given;
      if (brought === undefined && material === undefined) return;
      if (
        given.length !== 1 ||
        material === undefined ||
        brought === undefined ||
        recordName(material) !== referenceName(brought)
      ) {
        const expected = brought === undefined ? "nothing" : referenceName(brought);
        const names = given.length === 0 ? "nothing" : given.map(recordName).join(", ");
        found.push(failure("contents", `With entry ${index} came ${expected}, and here ${names}.`, index));
      } else if ("mediaType" in material && material.mediaType !== event?.body.mediaType) {
        const statement = `The ${recordName(material)} has another media type than its event says.`;
        found.push(failure("contents", statement, index));
      } else if (material.case === "expired") {
        const statement = `Retention has deleted the bytes of ${material.hash}, as event ${material.expired} is said to record.`;
        expired.push(notReVerifiable("evidence", statement, index));
      } else if (sha256(material.bytes) !== material.hash)
        found.push(failure("contents", `The ${recordName(material)} was altered.`, index));
    },
    checks(): readonly PackCheck[] {
      const left = before.map((material) =>
        failure("contents", `The ${recordName(material)} comes with no event.`),
      );
      return [
        ...allHold("contents", [...found, ...left], "What came with the events is there, byte for byte."),
        ...expired,
      ];
    },
  };
}
