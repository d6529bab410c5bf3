/**
 * `npm run fuzz`: feeds every parser with mutated documents.
 *
 *   npm run fuzz -- --count 100000     so many inputs to each target (10,000 by default)
 *   npm run fuzz -- --seed 42          those of a failure again; otherwise others each time
 *
 * Exits 1 with the smallest input that was found to crash a parser, or to cost it too much.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { fuzz } from "./fuzz.ts";
import { loadTargets } from "./targets.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "10000" },
    seed: { type: "string", default: `${randomInt(1_000_000_000)}` },
  },
});
const [count, seed] = [Number(values.count), Number(values.seed)];
if (!(Number.isSafeInteger(count) && count > 0 && Number.isSafeInteger(seed))) {
  console.error("--count and --seed must be whole numbers");
  process.exit(2);
}

console.log(`seed ${seed}`);
for (const target of await loadTargets()) {
  const started = performance.now();
  fuzz(target, seed, count);
  console.log(`${count} inputs in ${((performance.now() - started) / 1000).toFixed(0)} s: ${target.name}`);
}
