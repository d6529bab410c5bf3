import type { Schema } from "./types.ts";

/**
 * Puts every schema that has a title into the components, once, and in its places a reference: generators make one
 * type of it, under its name.
 *
 * @param part of the document; it is rewritten
 * @param schemas those found so far
 * @throws TypeError for two schemas of one title
 */
export function hoistSchemas(part: unknown, schemas: Record<string, Schema>): void {
  if (typeof part !== "object" || part === null) return;
  for (const [member, value] of Object.entries(part)) {
    hoistSchemas(value, schemas);
    const title = titleOf(value);
    // A member of an object may be called title too: that one is a schema, and not a text.
    if (title === undefined) continue;
    const known = schemas[title];
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(value))
      throw new TypeError(`two schemas have the title ${title}`);
    schemas[title] = value;
    Reflect.set(part, member, { $ref: `#/components/schemas/${title}` });
  }
}

/** What a reference within the document names. */
export function referred(schema: Schema, schemas: Readonly<Record<string, Schema>>): Schema {
  const name = nameOf(schema);
  return name === undefined ? schema : (schemas[name] ?? {});
}

export function nameOf({ $ref }: Schema): string | undefined {
  return $ref?.slice($ref.lastIndexOf("/") + 1);
}

function titleOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !("title" in value)) return undefined;
  return typeof value.title === "string" && /^[A-Z][A-Za-z0-9]*$/.test(value.title) ? value.title : undefined;
}
