import type { JsonObject, JsonValue } from "../../src/in-toto-attestation/types.ts";
import fc from "../support/fc.ts";
import { operate, type Surgery } from "./der-surgery.ts";
import { type Edit, edit, edited, nat } from "./edits.ts";
import type { Original } from "./originals.ts";
import { bytePlaces, type Place, placesOf, removeAt, setAt, valueAt } from "./places.ts";

// What is done to a bundle, as plain data: numbers pick among whatever is there, so that any mutation fits any
// bundle and one can be replayed from what a failure prints.

export interface Mutation {
  readonly original: number;
  /** Picks another bundle for parts to come from (`otherOf`). */
  readonly other: number;
  readonly steps: readonly Step[];
}

export type Step =
  | { readonly on: "text"; readonly edit: Edit }
  | { readonly on: "bytes"; readonly place: number; readonly edit: Edit }
  | { readonly on: "der"; readonly place: number; readonly surgery: Surgery; readonly at: number }
  | { readonly on: "checkpoint"; readonly place: number; readonly rewrite: number; readonly edit: Edit }
  | { readonly on: "structure"; readonly act: Act; readonly place: number; readonly with: number }
  | { readonly on: "spelling"; readonly place: number; readonly how: number };

type Act = "drop" | "double" | "swap" | "null" | "rename" | "add" | "take" | "number";

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ on: fc.constant("text"), edit }) },
  { weight: 5, arbitrary: fc.record({ on: fc.constant("bytes"), place: nat, edit }) },
  {
    weight: 4,
    arbitrary: fc.record({
      on: fc.constant("der"),
      place: nat,
      surgery: fc.constantFrom("drop", "double", "swap", "empty"),
      at: nat,
    }),
  },
  { weight: 2, arbitrary: fc.record({ on: fc.constant("checkpoint"), place: nat, rewrite: nat, edit }) },
  {
    weight: 6,
    arbitrary: fc.record({
      on: fc.constant("structure"),
      act: fc.oneof(
        {
          weight: 3,
          arbitrary: fc.constantFrom("drop", "double", "swap", "null", "rename", "add", "number"),
        },
        { weight: 2, arbitrary: fc.constant("take") },
      ),
      place: nat,
      with: nat,
    }),
  },
  { weight: 1, arbitrary: fc.record({ on: fc.constant("spelling"), place: nat, how: nat }) },
);

/** Mutations of one of so many originals. */
export function mutations(originals: number): fc.Arbitrary<Mutation> {
  const index = fc.nat({ max: originals - 1 });
  return fc.record({ original: index, other: nat, steps: fc.array(step, { minLength: 1, maxLength: 2 }) });
}

/** The bytes of the mutated bundle. */
export function apply(mutation: Mutation, originals: readonly Original[]): Buffer {
  const { original, steps } = mutation;
  const json = structuredClone(originals[original]?.json ?? {});
  const from = otherOf(mutation, originals)?.json ?? {};
  for (const one of steps) if (one.on !== "text") change(json, from, one);
  return steps.reduce<Buffer>(
    (text, one) => (one.on === "text" ? edited(text, one.edit) : text),
    Buffer.from(JSON.stringify(json)),
  );
}

/** Half of the time one of the same trust, whose parts are believed by themselves. */
export function otherOf({ original, other }: Mutation, originals: readonly Original[]): Original | undefined {
  const { trust } = originals[original] ?? {};
  const near = originals.filter((one, i) => one.trust === trust && i !== original);
  return other % 2 === 0 && near.length > 0 ? pick(near, other >> 1) : pick(originals, other >> 1);
}

function change(json: JsonObject, from: JsonObject, step: Exclude<Step, { on: "text" }>): void {
  switch (step.on) {
    case "bytes":
      changeBytes(json, step.place, (bytes) => edited(bytes, step.edit));
      break;
    case "der":
      changeBytes(json, step.place, (bytes) => operate(bytes, step.surgery, step.at));
      break;
    case "checkpoint":
      changeText(json, /\/envelope$/, step.place, (note) => rewritten(note, step.rewrite, step.edit));
      break;
    case "spelling":
      changeText(json, /./, step.place, (text) => pick(SPELLINGS, step.how)(text));
      break;
    case "structure":
      restructure(json, from, step);
      break;
  }
}

function changeBytes(json: JsonObject, at: number, to: (bytes: Buffer) => Uint8Array): void {
  const place = pick(bytePlaces(json), at);
  if (place === undefined) return;
  setAt(place, Buffer.from(to(Buffer.from(String(valueAt(place)), "base64"))).toString("base64"));
}

function changeText(json: JsonObject, path: RegExp, at: number, to: (text: string) => string): void {
  const texts = placesOf(json).filter((one) => path.test(one.path) && typeof valueAt(one) === "string");
  const place = pick(texts, at);
  if (place !== undefined) setAt(place, to(String(valueAt(place))));
}

/** Ways to write the same text, and not quite the same. */
const SPELLINGS: readonly ((text: string) => string)[] = [
  (text) => text.replaceAll("+", "-").replaceAll("/", "_"),
  (text) => text.replace(/=+$/, ""),
  (text) => `${text}=`,
  (text) => `${text}\n`,
  (text) => ` ${text}`,
  (text) => text.replace(/.{64}/g, "$&\n"),
  (text) => text.replace(/[A-Za-z](?==*$)/, (last) => String.fromCharCode(last.charCodeAt(0) + 1)),
  (text) => text.toUpperCase(),
  (text) => `0${text}`,
  (text) => `+${text}`,
  (text) => `${text}.0`,
  (text) => text.replace(/0\.(\d)/, (_, digit) => `0.${(Number(digit) % 3) + 1}`),
  (text) => `${text}; charset=utf-8`,
];

function rewritten(note: string, rewrite: number, edit: Edit): string {
  const lines = note.split("\n");
  const [i, j] = [rewrite % lines.length, edit.at % lines.length];
  const rewrites: readonly (() => string)[] = [
    () => edited(Buffer.from(note), edit).toString(),
    () => note.replaceAll("\n", "\r\n"),
    () => lines.toSpliced(i, 1).join("\n"),
    () => lines.toSpliced(i, 0, lines[j] ?? "").join("\n"),
    () =>
      lines
        .with(i, lines[j] ?? "")
        .with(j, lines[i] ?? "")
        .join("\n"),
    () => lines.with(i, `${lines[i]} `).join("\n"),
    () => `${note}— witness.example ${Buffer.alloc(68, edit.byte).toString("base64")}\n`,
    () => `${note}\n`,
    () => note.trimEnd(),
    () => note.replaceAll("—", "-"),
  ];
  return pick(rewrites, edit.byte)();
}

function restructure(json: JsonObject, from: JsonObject, step: Step & { on: "structure" }): void {
  const places = placesOf(json);
  const place = pick(places, step.place);
  if (place === undefined) return;
  const value = valueAt(place) ?? null;
  const { parent, name } = place;
  switch (step.act) {
    case "drop":
      removeAt(place);
      break;
    case "double":
      if (Array.isArray(parent)) parent.splice(Number(name), 0, structuredClone(value));
      else setAt({ ...place, name: `${name}2` }, structuredClone(value));
      break;
    case "swap":
      swap(place, pick(places, step.with) ?? place);
      break;
    case "null":
      setAt(place, pick<JsonValue>([null, "", "0", [], {}, 0, false], step.with));
      break;
    case "rename":
      removeAt(place);
      setAt({ ...place, name: pick([`${name}_`, snakeCase(name), "__proto__x"], step.with) }, value);
      break;
    case "add":
      setAt({ parent: Array.isArray(parent) ? json : parent, name: "unknown", path: "" }, value);
      break;
    case "number":
      setAt(place, typeof value === "string" && /^\d+$/.test(value) ? Number(value) : String(value));
      break;
    case "take": {
      const same = placesOf(from).filter(({ path }) => path === place.path);
      const [taken] = same.length > 0 ? same : placesOf(from).slice(step.with % 40);
      setAt(place, structuredClone(taken === undefined ? null : (valueAt(taken) ?? null)));
      break;
    }
  }
}

/** Neither may lie in the other, or the document would hold itself. */
function swap(a: Place, b: Place): void {
  if (`${a.path}/`.startsWith(`${b.path}/`) || `${b.path}/`.startsWith(`${a.path}/`)) return;
  const [atA, atB] = [valueAt(a) ?? null, valueAt(b) ?? null];
  setAt(a, atB);
  setAt(b, atA);
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function pick<T>(items: readonly [T, ...T[]] | readonly T[], at: number): T {
  return items[at % Math.max(items.length, 1)] as T;
}
