/**
 * `npm run bench -- NAME --json | node .ci/bench-result.ts RATIO LEAST…`: reads a bench's last line, which every
 * bench prints in one shape, and exits 1 when the shape is wrong or a ratio is less than the least wanted.
 */
import { text } from "node:stream/consumers";
import type { BenchResult } from "../bench/measure.ts";

/** Throws `Error` or `SyntaxError` for anything but `{"bench","rows":[{"name","median","unit"}…],"ratios":{…}}`. */
export function parseBenchResult(line: string): BenchResult {
  const value = JSON.parse(line) as Partial<BenchResult>;
  const rowIsRight = (row: Partial<BenchResult["rows"][number]>) =>
    typeof row.name === "string" && Number.isFinite(row.median) && typeof row.unit === "string";
  const right =
    typeof value.bench === "string" &&
    Array.isArray(value.rows) &&
    value.rows.length > 0 &&
    value.rows.every(rowIsRight) &&
    typeof value.ratios === "object" &&
    Object.values(value.ratios).every(Number.isFinite);
  if (!right) throw new Error(`not the result of a bench: ${line}`);
  return value as BenchResult;
}

if (import.meta.main) {
  const wanted = process.argv.slice(2);
  const result = parseBenchResult((await text(process.stdin)).trimEnd().split("\n").at(-1) ?? "");
  for (let i = 0; i < wanted.length; i += 2) {
    const [name = "", least = ""] = wanted.slice(i);
    const ratio = result.ratios[name];
    console.log(`${result.bench}: ${name} = ${ratio} (at least ${least} is wanted)`);
    if (!(Number(ratio) >= Number(least))) process.exitCode = 1;
  }
}
