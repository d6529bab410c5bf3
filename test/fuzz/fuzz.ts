import { getHeapStatistics } from "node:v8";
import { operate } from "../differential/der-surgery.ts";
import { type Edit, edit, edited, nat } from "../differential/edits.ts";
import { bytePlaces, setAt, valueAt } from "../differential/places.ts";
import fc from "../support/fc.ts";
import type { Target } from "./targets.ts";

/** What one input of some kilobytes may cost at most. */
const MOST: Cost = { milliseconds: 50, bytes: 64 * 1024 * 1024 };

/** The collector of garbage may slow one run down: the least of some is what it costs. */
const MORE_TRIES = 3;

interface Input {
  readonly seed: number;
  readonly edits: readonly Edit[];
  readonly surgery?: { readonly act: "drop" | "double" | "swap" | "empty"; readonly at: number } | undefined;
  /** Of a JSON document: which of its members that hold bytes is mutated, instead of the text. */
  readonly within?: number | undefined;
  /** Instead of a mutated seed: any bytes. */
  readonly bytes?: Uint8Array | undefined;
}

const inputs: fc.Arbitrary<Input> = fc.record({
  seed: nat,
  edits: fc.array(edit, { minLength: 1, maxLength: 4 }),
  surgery: fc.option(fc.record({ act: fc.constantFrom("drop", "double", "swap", "empty"), at: nat }), {
    nil: undefined,
    freq: 2,
  }),
  within: fc.option(nat, { nil: undefined, freq: 3 }),
  bytes: fc.option(fc.uint8Array({ maxLength: 64 }), { nil: undefined, freq: 12 }),
});

/** Feeds so many inputs to a target. Throws for a fault: another error than a refusal, too much time or memory. */
export function fuzz(target: Target, seed: number, count: number): void {
  const { seeds } = target;
  fc.assert(
    fc.property(inputs, (input) => {
      const given = seeds[input.seed % seeds.length] ?? new Uint8Array();
      feed(target, input.bytes ?? mutatedWithin(given, input));
    }),
    { seed, numRuns: count },
  );
}

/** An object or a list. */
const JSON_BEGINS: ReadonlySet<number | undefined> = new Set(Buffer.from("{["));

function mutatedWithin(bytes: Uint8Array, input: Input): Uint8Array {
  if (input.within === undefined || !JSON_BEGINS.has(bytes[0])) return mutated(bytes, input);
  const json = JSON.parse(Buffer.from(bytes).toString());
  const places = bytePlaces(json);
  const place = places[input.within % places.length];
  if (place === undefined) return mutated(bytes, input);
  const member = Buffer.from(String(valueAt(place)), "base64");
  setAt(place, Buffer.from(mutated(member, input)).toString("base64"));
  return Buffer.from(JSON.stringify(json));
}

function mutated(bytes: Uint8Array, { edits, surgery }: Input): Uint8Array {
  const operated = surgery === undefined ? bytes : operate(bytes, surgery.act, surgery.at);
  // Where surgery does nothing it is no DER: there the edits are what changes it.
  const steps = surgery === undefined || operated === bytes ? edits : edits.slice(1);
  return steps.reduce<Buffer>((before, one) => edited(before, one), Buffer.from(operated));
}

/** Runs it within its bounds, a refusal being as good as a result. */
export function feed(target: Target, bytes: Uint8Array, most: Cost = MOST): void {
  let cost = costOf(target, bytes);
  for (let tries = 0; tries < MORE_TRIES && isTooMuch(cost, most); tries += 1) {
    const again = costOf(target, bytes);
    cost = {
      milliseconds: Math.min(cost.milliseconds, again.milliseconds),
      bytes: Math.min(cost.bytes, again.bytes),
    };
  }
  if (isTooMuch(cost, most)) {
    throw new Error(`${target.name}: ${cost.milliseconds.toFixed(1)} ms, ${cost.bytes} bytes of heap`);
  }
}

export interface Cost {
  /** Of this thread, so that what else the machine does is not counted. */
  readonly milliseconds: number;
  readonly bytes: number;
}

function isTooMuch({ milliseconds, bytes }: Cost, most: Cost): boolean {
  return milliseconds > most.milliseconds || bytes > most.bytes;
}

function costOf({ name, read, refusals }: Target, input: Uint8Array): Cost {
  const before = heapBytes();
  const started = process.threadCpuUsage();
  try {
    read(input);
  } catch (error) {
    if (!refusals.some((refusal) => error instanceof refusal)) {
      throw new Error(`${name} threw what is not its own`, { cause: error });
    }
  }
  const { user, system } = process.threadCpuUsage(started);
  return { milliseconds: (user + system) / 1000, bytes: heapBytes() - before };
}

function heapBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}
