/**
 * `npm run differential`: mutates bundles and compares our verdicts with those of @sigstore/verify.
 *
 *   npm run differential -- --count 100000     so many mutations (10,000 by default)
 *   npm run differential -- --seconds 300      as many as that time allows; with --count, no more than that
 *   npm run differential -- --seed 42          those of a failure again; otherwise another run each time
 *
 * Exits 1 where there is a finding: a mutated bundle accepted that says what nobody signed, an error that is not ours,
 * or a disagreement that no rule of explanations.ts explains.
 */
import { type ChildProcess, fork } from "node:child_process";
import { randomInt } from "node:crypto";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { ChunkResult } from "./chunk.ts";
import { RULE_NAMES } from "./explanations.ts";
import type { ChunkRequest } from "./worker.ts";

/** Small enough for the progress to be seen and the time to be kept. */
const CHUNK = 500;

/** Findings after which there is more to read than to find. */
const MANY = 10;

const { values } = parseArgs({
  options: {
    count: { type: "string" },
    seconds: { type: "string" },
    seed: { type: "string", default: `${randomInt(1_000_000_000)}` },
  },
});
const seed = whole(values.seed, "seed");
const seconds = values.seconds === undefined ? undefined : whole(values.seconds, "seconds");
const unsaid = seconds === undefined ? 10_000 : Number.POSITIVE_INFINITY;
const count = values.count === undefined ? unsaid : whole(values.count, "count");
const started = performance.now();
const elapsed = () => (performance.now() - started) / 1000;

const tally = new Map<string, number>();
let asked = 0;
let done = 0;
const failures: string[] = [];

console.log(`seed ${seed}`);
await Promise.all(Array.from({ length: availableParallelism() }, work));
report();
for (const failure of failures) console.error(`\n${failure}`);
process.exitCode = failures.length === 0 ? 0 : 1;

/** Has one process run chunks until there are no more. */
async function work(): Promise<void> {
  const child = fork(new URL("./worker.ts", import.meta.url).pathname);
  try {
    await reply(child);
    while (failures.length < MANY && asked < count && (seconds === undefined || elapsed() < seconds)) {
      const request: ChunkRequest = { seed: seed + asked, count: Math.min(CHUNK, count - asked) };
      asked += request.count;
      child.send(request);
      const result = (await reply(child)) as ChunkResult;
      for (const [name, times] of Object.entries(result.tally))
        tally.set(name, (tally.get(name) ?? 0) + times);
      if (result.failure !== undefined) failures.push(result.failure);
      done += request.count;
      if (done % (10 * CHUNK) === 0) console.log(`${done} mutations in ${elapsed().toFixed(0)} s`);
    }
  } finally {
    child.kill();
  }
}

function reply(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`a worker ended with exit code ${code}`));
    child.once("exit", ended);
    child.once("message", (message) => {
      child.off("exit", ended);
      resolve(message);
    });
  });
}

function report(): void {
  console.log(`\n${done} mutations in ${elapsed().toFixed(0)} s`);
  const met = [...tally].sort(([, a], [, b]) => b - a);
  for (const [name, times] of met) console.log(`${String(times).padStart(8)}  ${name}`);
  const unmet = RULE_NAMES.filter((name) => !tally.has(name));
  if (unmet.length > 0) console.log(`rules that explained nothing: ${unmet.join("; ")}`);
}

function whole(text: string, name: string): number {
  if (/^[1-9][0-9]{0,11}$/.test(text)) return Number(text);
  console.error(`--${name} must be a whole number`);
  process.exit(2);
}
