/** Reading JSON that another program wrote: what is not of the shape is an error, and unknown fields are let be. */

export type Fields = Readonly<Record<string, unknown>>;

/** Throws `Error`, as the others here do. */
export function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(what, "no object");
  return value as Fields;
}

/** A list that is not there is empty: Go leaves empty ones out, or writes null. */
export function listOf(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrong(what, "no list");
  return value;
}

/** Texts by their names, in the order of the names; one that is not there is empty. */
export function textsOf(value: unknown, what: string): readonly (readonly [string, string])[] {
  const entries = Object.entries(value === undefined || value === null ? {} : fieldsOf(value, what));
  return entries
    .map(([name, text]) => [name, textOf(text, what)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

export function textOf(value: unknown, what: string): string {
  if (typeof value !== "string") throw wrong(what, "no text");
  return value;
}

function wrong(what: string, is: string): Error {
  return new Error(`${what} is ${is}`);
}
