import { parseHeader, parseRecord } from "../src/custody/pack/parse.ts";
import { openPackVerifier } from "../src/custody/verify-pack.ts";
import { parseCheckpoint } from "../src/tlog/checkpoint.ts";
import { leafHash } from "../src/tlog/hash.ts";
import { parseNote } from "../src/tlog/note.ts";
import { verifyInclusion } from "../src/tlog/proofs.ts";
import { buildPack } from "../test/custody/build-pack.ts";
import { ARTIFACT, byBuilder, firstPolicies, firstTrust } from "../test/custody/evidence.ts";
import { logSigner, smallLog } from "../test/custody/small-log.ts";
import { decisionRecorded } from "../test/support/pushes.ts";
import { type BenchResult, type Contender, compare, cpuSeconds } from "./measure.ts";

/** An artifact that is pushed about now and then, and used all the time. */
const USES_OF_EACH_PUSH = 98;

/**
 * Records of custody files verified a second: of a long file, against one of a tenth of its length (what an event costs
 * must not grow with the file), and against the floor: its lines read and its proofs checked, and nothing else.
 */
export async function pack({ count = 10_000 }: { readonly count?: number } = {}): Promise<BenchResult> {
  const [long, short] = [linesOf(count), linesOf(count / 10)];
  const [whole, tenth, floor] = await compare(
    [
      lineByLine("long", long, startVerifying),
      lineByLine("short", short, startVerifying),
      lineByLine("floor", long, startProving),
    ],
    { rounds: 7, duration: 500, clock: cpuSeconds },
  );
  const row = (name: string, median = Number.NaN) => ({ name, median, unit: "records/s" });
  return {
    bench: "pack",
    rows: [
      row(`verified, of ${count} events`, whole),
      row(`verified, of ${count / 10} events`, tenth),
      row("floor: lines and proofs alone", floor),
    ],
    ratios: {
      "long-over-short": ratio(whole, tenth),
      "vs-proofs-alone": ratio(whole, floor),
    },
  };
}

function ratio(one = Number.NaN, other = Number.NaN): number {
  return one / other;
}

function linesOf(count: number): Uint8Array[] {
  const log = smallLog();
  log.activateTrust(firstTrust);
  log.activatePolicies(firstPolicies);
  for (let run = 0; log.events.length < count; run += 1) {
    log.push(byBuilder(`run ${run}`));
    for (let i = 0; i < USES_OF_EACH_PUSH; i += 1) log.append(decisionRecorded(ARTIFACT));
  }
  const text = Buffer.from(buildPack(log.packInput())).toString();
  return text.split(/(?<=\n)/).map((line) => Buffer.from(line));
}

interface Reading {
  read(line: Uint8Array): void;
  finish(): void;
}

function startVerifying(): Reading {
  const verifier = openPackVerifier(logSigner.verifierKey);
  return {
    read: (line) => verifier.read(line),
    finish() {
      if (!verifier.finish().ok) throw new Error("the file of the bench does not hold");
    },
  };
}

function startProving(): Reading {
  let tree: ReturnType<typeof parseCheckpoint> | undefined;
  return {
    read(line) {
      const bytes = line.subarray(0, -1);
      if (tree === undefined) {
        tree = parseCheckpoint(parseNote(parseHeader(bytes).checkpoint).text);
        return;
      }
      const record = parseRecord(bytes, 2);
      if (record.case === "event") verifyInclusion(leafHash(record.leaf), record.index, tree, record.proof);
    },
    finish() {},
  };
}

/** One operation is one line; after the last, the file is read anew. */
function lineByLine(name: string, lines: readonly Uint8Array[], start: () => Reading): Contender {
  let at = 0;
  let reading = start();
  return {
    name,
    async run(count) {
      for (let i = 0; i < count; i += 1) {
        reading.read(lines[at] as Uint8Array);
        at += 1;
        if (at < lines.length) continue;
        reading.finish();
        [at, reading] = [0, start()];
      }
    },
  };
}
