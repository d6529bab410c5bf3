import { digestOf, KNOWN_ALGORITHMS } from "./digest.ts";
import { AttestationFormatError } from "./errors.ts";
import { isJsonObject, parseJson } from "./json.ts";
import { parseResourceDescriptor } from "./resource-descriptor.ts";
import type { Digest, JsonValue, ResourceDescriptor, Statement } from "./types.ts";

const TYPES: ReadonlyMap<JsonValue | undefined, Statement["type"]> = new Map(
  (["https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1"] as const).map((type) => [
    type,
    type,
  ]),
);

/** An upload names at most this many artifacts. */
export const MAX_SUBJECTS = 1024;
const MAX_DIGESTS_PER_SUBJECT = 4;

/**
 * Reads an in-toto Statement v0.1 or v1 (in-toto/attestation spec/v1/statement.md): 1 to 1,024 subjects with at
 * least one digest each. Unknown members are ignored, as the framework's parsing rules ask; known ones must
 * have their type.
 *
 * Throws `AttestationFormatError`: `malformed-statement`, `too-many-items`, and `parseJson`'s.
 */
export function parseStatement(payload: Uint8Array): Statement {
  const value = parseJson(payload);
  if (!isJsonObject(value)) throw malformed("it is not an object");
  const type = TYPES.get(value._type);
  if (type === undefined) throw malformed("_type is neither Statement/v0.1 nor Statement/v1");
  const { predicateType } = value;
  if (typeof predicateType !== "string" || predicateType === "") throw malformed("predicateType is missing");
  // Absent and null alike mean "no predicate" (PEP 740 writes null).
  const predicate = value.predicate ?? {};
  if (!isJsonObject(predicate)) throw malformed("predicate is not an object");
  return { type, subject: parseSubjects(value.subject), predicateType, predicate };
}

function parseSubjects(value: JsonValue | undefined): ResourceDescriptor[] {
  if (!Array.isArray(value) || value.length === 0) throw malformed("there is no subject");
  if (value.length > MAX_SUBJECTS) {
    throw new AttestationFormatError("too-many-items", `a Statement has at most ${MAX_SUBJECTS} subjects`);
  }
  return value.map((item: JsonValue) => {
    const subject = parseResourceDescriptor(item, "subject");
    if (Object.keys(subject.digest).length === 0) throw malformed("a subject has no digest");
    return subject;
  });
}

/**
 * The artifacts that a Statement is about, each under the digests that it can be looked up by: known algorithms
 * only, strongest first, at most four. A subject without any is left out, so the list may be empty.
 */
export function subjectsOf(statement: Statement): { name?: string; digests: Digest[] }[] {
  return statement.subject.flatMap(({ name, digest }) => {
    const digests = KNOWN_ALGORITHMS.filter((algorithm) => Object.hasOwn(digest, algorithm))
      .slice(0, MAX_DIGESTS_PER_SUBJECT)
      .map((algorithm) => digestOf(algorithm, digest[algorithm] as string));
    if (digests.length === 0) return [];
    return [name === undefined ? { digests } : { name, digests }];
  });
}

function malformed(what: string): AttestationFormatError {
  return new AttestationFormatError("malformed-statement", `not an in-toto Statement: ${what}`);
}
