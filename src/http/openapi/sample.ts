import { referred } from "./components.ts";
import type { Json, Schema } from "./types.ts";

/** Deeper than any request is; a schema that refers to itself ends here. */
const MAX_DEPTH = 12;

/** A value as a schema describes it, from the examples that stand in it: of objects what they must have, of lists one item. */
export function sampleOf(schema: Schema, schemas: Readonly<Record<string, Schema>>, depth = 0): Json {
  const { examples, const: constant, enum: values, anyOf, ...rest } = referred(schema, schemas);
  const [known] = examples ?? values ?? (constant === undefined ? [] : [constant]);
  if (known !== undefined) return known;
  if (depth > MAX_DEPTH) return null;
  if (anyOf?.[0] !== undefined) return sampleOf(anyOf[0], schemas, depth + 1);
  switch (rest.type) {
    case "object":
      return sampleObject(rest, schemas, depth);
    case "array":
      return rest.items === undefined ? [] : [sampleOf(rest.items, schemas, depth + 1)];
    case "integer":
    case "number":
      return rest.minimum ?? 0;
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return "…";
  }
}

function sampleObject(
  { properties = {}, required = [] }: Schema,
  schemas: Readonly<Record<string, Schema>>,
  depth: number,
): Json {
  // Where nothing must be there, one member says more than none.
  const names = required.length > 0 ? required : Object.keys(properties).slice(0, 1);
  return Object.fromEntries(
    names.flatMap((name) => {
      const member = properties[name];
      return member === undefined ? [] : [[name, sampleOf(member, schemas, depth + 1)]];
    }),
  );
}
