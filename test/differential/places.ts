import type { JsonObject, JsonValue } from "../../src/in-toto-attestation/types.ts";

/** Where a value stands: in this object or array, under this name or index. */
export interface Place {
  readonly parent: JsonObject | JsonValue[];
  readonly name: string;
  readonly path: string;
}

/** Every value of a document but the document itself, in its order. */
export function placesOf(json: JsonValue, path = ""): Place[] {
  if (typeof json !== "object" || json === null) return [];
  return Object.entries(json).flatMap(([name, value]) => [
    { parent: json as Place["parent"], name, path: `${path}/${name}` },
    ...placesOf(value as JsonValue, `${path}/${name}`),
  ]);
}

export function valueAt({ parent, name }: Place): JsonValue | undefined {
  return (parent as Record<string, JsonValue>)[name];
}

export function setAt({ parent, name }: Place, value: JsonValue): void {
  (parent as Record<string, JsonValue>)[name] = value;
}

export function removeAt({ parent, name }: Place): void {
  if (Array.isArray(parent)) parent.splice(Number(name), 1);
  else delete (parent as Record<string, JsonValue>)[name];
}

const BYTES =
  /(?:rawBytes|sig|signature|payload|signedEntryTimestamp|canonicalizedBody|signedTimestamp|rootHash|keyId|digest|hashes\/\d+)$/;

/** The members that hold bytes as base64. */
export function bytePlaces(json: JsonValue): Place[] {
  return placesOf(json).filter((place) => BYTES.test(place.path) && typeof valueAt(place) === "string");
}
