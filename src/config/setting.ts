import type { ValueType } from "./values.ts";

/** One setting of the server, in both of its spellings. */
export interface Setting<T> {
  /** The environment variable. */
  readonly env: string;
  /** Where it stands in the file: names of members, joined by dots. */
  readonly yaml: string;
  readonly type: ValueType<NonNullable<T>, unknown>;
  /** What it is where it is not given. */
  readonly fallback: T;
  /** The default as a variable would have it; undefined: there is none that could be written down. */
  readonly written: string | undefined;
  /** What stands for the default in the documentation, in Markdown. */
  readonly shown: string;
  /** A sentence on what it does, in Markdown; links are as from `docs/`. */
  readonly doc: string;
}

/** @param fallback the default, as the variable would have it */
export function setting<T>(
  env: string,
  yaml: string,
  type: ValueType<T, unknown>,
  fallback: string,
  doc: string,
): Setting<T> {
  const value = type.fromText(fallback);
  if (value === undefined) throw new TypeError(`${env}: its default ${type.must}`);
  return {
    env,
    yaml,
    type: type as Setting<T>["type"],
    fallback: value,
    written: fallback,
    shown: `\`${fallback}\``,
    doc,
  };
}

/** @param shown what is so where it is not given, in Markdown, e.g. `none` */
export function optional<T, Absent>(
  env: string,
  yaml: string,
  type: ValueType<T, Absent>,
  shown: string,
  doc: string,
): Setting<T | Absent> {
  return {
    env,
    yaml,
    type: type as Setting<T | Absent>["type"],
    fallback: type.absent,
    written: undefined,
    shown,
    doc,
  };
}
