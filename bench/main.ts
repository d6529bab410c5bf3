/**
 * `npm run bench -- NAME [--json] [--count N]`: runs one bench and prints a table, or, with `--json`, one object as the
 * last line: `{"bench","rows":[{"name","median","unit"}…],"ratios":{…}}`. `--count` is of what it measures on, where
 * the bench lets that be chosen.
 */
import { parseArgs } from "node:util";
import { append } from "./append.ts";
import { decide } from "./decide.ts";
import { grow } from "./grow.ts";
import { ingest } from "./ingest.ts";
import type { BenchResult } from "./measure.ts";
import { mint } from "./mint.ts";
import { mintHttp } from "./mint-http.ts";
import { pack } from "./pack.ts";
import { revoke } from "./revoke.ts";
import { simulate } from "./simulate.ts";
import { size } from "./size.ts";
import { verify } from "./verify.ts";

type Bench = (options: { readonly count?: number }) => Promise<BenchResult>;

const BENCHES: ReadonlyMap<string, Bench> = new Map<string, Bench>([
  ["append", append],
  ["decide", decide],
  ["grow", grow],
  ["ingest", ingest],
  ["mint", mint],
  ["mint-http", mintHttp],
  ["pack", pack],
  ["revoke", revoke],
  ["simulate", simulate],
  ["size", size],
  ["verify", verify],
]);

const { values: options, positionals } = parseArgs({
  options: { json: { type: "boolean", default: false }, count: { type: "string" } },
  allowPositionals: true,
});
const bench = BENCHES.get(positionals[0] ?? "");
if (bench === undefined || positionals.length !== 1) {
  console.error(
    `usage: npm run bench -- NAME [--json] [--count N]\n\nbenches: ${[...BENCHES.keys()].join(", ")}`,
  );
  process.exit(2);
}
const result = await bench(options.count === undefined ? {} : { count: Number(options.count) });
if (options.json) console.log(JSON.stringify(result));
else printTable(result);

function printTable({ bench, rows, ratios }: BenchResult): void {
  const lines = [
    ...rows.map(({ name, median, unit }) => [
      name,
      median.toLocaleString("en", { maximumFractionDigits: 0 }),
      unit,
    ]),
    ...Object.entries(ratios).map(([name, ratio]) => [name, ratio.toFixed(2), "×"]),
  ];
  const widths = [0, 1].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  console.log(bench);
  for (const [name = "", value = "", unit = ""] of lines) {
    console.log(`  ${name.padEnd(widths[0] ?? 0)}  ${value.padStart(widths[1] ?? 0)} ${unit}`);
  }
}
