import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "../support/fc.ts";
import { compare } from "./compare.ts";
import { apply, type Mutation, mutations } from "./mutation.ts";
import type { Original } from "./originals.ts";

export interface ChunkResult {
  /** Outcome → how often; a disagreement by the rule that explains it. */
  readonly tally: Readonly<Record<string, number>>;
  /** The smallest mutation that was found to break something, and how to run it again. */
  readonly failure?: string;
}

/** Mutates and compares `count` times, as `seed` says; stops at the first finding and makes it small. */
export function runChunk(originals: readonly Original[], seed: number, count: number): ChunkResult {
  const tally: Record<string, number> = {};
  const details = fc.check(
    fc.property(mutations(originals.length), (mutation) => {
      const comparison = compare(mutation, originals);
      const name = comparison.case === "differ" ? comparison.rule : comparison.case;
      tally[name] = (tally[name] ?? 0) + 1;
    }),
    { seed, numRuns: count },
  );
  const [mutation] = details.counterexample ?? [];
  if (mutation === undefined) return { tally };
  return { tally, failure: failureOf(mutation, originals, seed, count, details.errorInstance) };
}

function failureOf(
  mutation: Mutation,
  originals: readonly Original[],
  seed: number,
  count: number,
  error: unknown,
): string {
  const directory = mkdtempSync(join(tmpdir(), "differential-"));
  const { id, trust } = originals[mutation.original] ?? {};
  writeFileSync(join(directory, "bundle.json"), apply(mutation, originals));
  writeFileSync(join(directory, "trust.json"), trust?.bytes ?? "");
  return [
    error instanceof Error ? (error.stack ?? error.message) : String(error),
    `  of ${id}, by ${JSON.stringify(mutation)}`,
    `  the bundle and its trust document: ${directory}`,
    `  again: npm run differential -- --seed ${seed} --count ${count}`,
  ].join("\n");
}
