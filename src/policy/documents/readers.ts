import { isMap, isScalar, isSeq, type Node, type Scalar } from "yaml";
import { AttestationFormatError, type Digest, parseDigest } from "../../in-toto-attestation/index.ts";
import { offsetWithin, startOf, type YamlSource } from "../../yaml/source.ts";
import { suggestion } from "../../yaml/suggestion.ts";
import { compileGlob, type Glob, GlobError } from "../glob.ts";

/** Reads a node as a T; undefined after the mistakes in it were reported. Readers go on after a mistake. */
export type Reader<T> = (source: YamlSource, node: Node | null, parent: Node) => T | undefined;

/** How a member of a map is read, and whether it may be left out. */
export interface Member<T, Required extends boolean> {
  readonly read: Reader<T>;
  readonly required: Required;
}
type AnyMember = Member<unknown, boolean>;
type Simplify<T> = { readonly [K in keyof T]: T[K] };
type Members<Shape extends Record<string, AnyMember>> = Simplify<
  {
    [K in keyof Shape as Shape[K]["required"] extends true ? K : never]: Shape[K] extends Member<
      infer T,
      true
    >
      ? T
      : never;
  } & {
    [K in keyof Shape as Shape[K]["required"] extends true ? never : K]?: Shape[K] extends Member<
      infer T,
      false
    >
      ? T
      : never;
  }
>;

export function required<T>(read: Reader<T>): Member<T, true> {
  return { read, required: true };
}

export function optional<T>(read: Reader<T>): Member<T, false> {
  return { read, required: false };
}

/** A map with these members and no others. `demand` refuses members that do not go together. */
export function record<Shape extends Record<string, AnyMember>>(
  shape: Shape,
  demand: (value: Members<Shape>) => string | undefined = () => undefined,
): Reader<Members<Shape>> {
  const known = new Map(Object.entries(shape));
  return (source, node, parent) => {
    const entries = entriesOf(source, node, parent);
    if (entries === undefined || node === null) return undefined;
    const read: Record<string, unknown> = Object.create(null);
    const seen = new Set<string>();
    let sound = true;
    for (const [key, value] of entries) {
      const name = String(key.value);
      const member = known.get(name);
      seen.add(name);
      if (member === undefined) {
        source.report(startOf(key), `unknown key \`${name}\`${suggestion(name, [...known.keys()])}`);
        sound = false;
      } else {
        read[name] = member.read(source, value, key);
        if (read[name] === undefined) sound = false;
      }
    }
    for (const [name, member] of known) {
      if (!member.required || seen.has(name)) continue;
      source.report(startOf(node), `\`${name}\` is missing`);
      sound = false;
    }
    if (!sound) return undefined;
    const problem = demand(read as Members<Shape>);
    if (problem !== undefined) source.report(startOf(node), problem);
    return problem === undefined ? (read as Members<Shape>) : undefined;
  };
}

/** A map whose keys the policy's author chooses. */
export function table<T>(read: Reader<T>): Reader<ReadonlyMap<string, T>> {
  return (source, node, parent) => {
    const entries = entriesOf(source, node, parent)?.map(
      ([key, value]) => [String(key.value), read(source, value, key)] as const,
    );
    if (entries === undefined || entries.some(([, value]) => value === undefined)) return undefined;
    return new Map(entries as [string, T][]);
  };
}

/** A list of at least one item. */
export function list<T>(read: Reader<T>, most = 256): Reader<readonly T[]> {
  return (source, node, parent) => {
    if (!isSeq(node)) return refuse(source, node, parent, "a list is expected");
    if (node.items.length === 0)
      return refuse(source, node, parent, "the list is empty: nothing would match");
    if (node.items.length > most) return refuse(source, node, parent, `more than ${most} items`);
    const items = node.items.map((item) => read(source, item as Node | null, node));
    return items.every((item) => item !== undefined) ? (items as T[]) : undefined;
  };
}

export const text: Reader<string> = (source, node, parent) =>
  isText(node) && node.value !== "" ? node.value : refuse(source, node, parent, "a text is expected");

/** One of these words. */
export function oneOf<T extends string>(words: readonly T[]): Reader<T> {
  return (source, node, parent) => {
    const word = text(source, node, parent);
    if (word === undefined) return undefined;
    return (
      words.find((known) => known === word) ??
      refuse(source, node, parent, `\`${word}\` is not known here${suggestion(word, words)}`)
    );
  };
}

/** A text that a regular expression of ours takes as a whole. */
export function textLike(pattern: RegExp, what: string): Reader<string> {
  return (source, node, parent) =>
    isText(node) && pattern.test(node.value)
      ? node.value
      : refuse(source, node, parent, `${what} is expected`);
}

/** The name of a policy, of a rule or of a component. */
export const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/;
export const name = textLike(NAME, "a name of a-z, 0-9, `-` and `.`");

export const boolean: Reader<boolean> = (source, node, parent) =>
  isScalar(node) && typeof node.value === "boolean"
    ? node.value
    : refuse(source, node, parent, "`true` or `false` is expected");

export function integer(least: number, most: number): Reader<number> {
  return (source, node, parent) =>
    isScalar(node) &&
    Number.isInteger(node.value) &&
    Number(node.value) >= least &&
    Number(node.value) <= most
      ? Number(node.value)
      : refuse(source, node, parent, `a whole number from ${least} to ${most} is expected`);
}

const MILLISECONDS = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** `30s`, `15m`, `12h` or `90d`, in milliseconds. */
export const duration: Reader<number> = (source, node, parent) => {
  const [, count, unit] = (isText(node) && /^([1-9][0-9]{0,4})([smhd])$/.exec(node.value)) || [];
  const milliseconds = MILLISECONDS.get(unit ?? "");
  if (milliseconds !== undefined) return Number(count) * milliseconds;
  return refuse(source, node, parent, "a duration such as 30s, 15m, 12h or 90d is expected");
};

/** An exact text or an anchored glob. */
export const pattern: Reader<Glob> = (source, node, parent) => {
  if (!isText(node)) return refuse(source, node, parent, "a text or a glob is expected");
  try {
    return compileGlob(node.value);
  } catch (error) {
    if (!(error instanceof GlobError)) throw error;
    return source.report(offsetWithin(source, node, error.offset), `bad glob: ${error.message}`);
  }
};

export const digest: Reader<Digest> = (source, node, parent) => {
  const read = text(source, node, parent);
  if (read === undefined) return undefined;
  try {
    return parseDigest(read);
  } catch (error) {
    if (!(error instanceof AttestationFormatError)) throw error;
    return refuse(source, node, parent, error.message);
  }
};

export function isText(node: Node | null): node is Scalar<string> {
  return isScalar(node) && typeof node.value === "string";
}

/** Reports at the node, or at its key or list where the value is left out. */
export function refuse(source: YamlSource, node: Node | null, parent: Node, message: string): undefined {
  return source.report(startOf(node ?? parent), message);
}

function entriesOf(source: YamlSource, node: Node | null, parent: Node): [Scalar, Node | null][] | undefined {
  if (!isMap(node)) return refuse(source, node, parent, "a map is expected");
  // `readYaml` let only plain string keys through.
  return node.items.map(({ key, value }) => [key as Scalar, value as Node | null]);
}
