import { digestOf, isKnownAlgorithm } from "./digest.ts";
import { AttestationFormatError } from "./errors.ts";
import { isJsonObject } from "./json.ts";
import type { JsonValue, ResourceDescriptor } from "./types.ts";

/**
 * Reads an in-toto ResourceDescriptor (in-toto/attestation spec/v1/resource_descriptor.md), `where` naming it in
 * errors. A digest of an unknown algorithm is kept as signed; one of a known algorithm must have its form,
 * because a digest that matches nothing is a signer's mistake and not a wish to name nothing.
 *
 * Throws `AttestationFormatError`: `malformed-statement`.
 */
export function parseResourceDescriptor(value: JsonValue, where: string): ResourceDescriptor {
  return parse(value, where, (digest) => {
    for (const [algorithm, hex] of Object.entries(digest)) assertDigest(algorithm, hex, where);
    return digest;
  });
}

/**
 * The same of what a build took in: there a digest that has not its algorithm's form is left out, so that it names nothing.
 * GitLab's runner calls the SHA-1 of a commit `sha256`; nothing is believed of a dependency's digest but that it is there.
 */
export function parseDependency(value: JsonValue, where: string): ResourceDescriptor {
  return parse(value, where, (digest) => {
    const formed: Record<string, string> = Object.create(null);
    for (const [algorithm, hex] of Object.entries(digest))
      if (isFormed(algorithm, hex)) formed[algorithm] = hex;
    return formed;
  });
}

type Digests = Readonly<Record<string, string>>;

function parse(value: JsonValue, where: string, checked: (digest: Digests) => Digests): ResourceDescriptor {
  if (!isJsonObject(value)) throw malformed(where, "is not an object");
  const { name, uri, annotations } = value;
  if (name !== undefined && typeof name !== "string")
    throw malformed(where, "has a name that is not a string");
  if (uri !== undefined && typeof uri !== "string") throw malformed(where, "has a uri that is not a string");
  if (annotations !== undefined && !isJsonObject(annotations)) {
    throw malformed(where, "has annotations that are not an object");
  }
  return {
    ...(name === undefined ? {} : { name }),
    ...(uri === undefined ? {} : { uri }),
    digest: checked(parseDigestSet(value.digest, where)),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function parseDigestSet(value: JsonValue | undefined, where: string): Digests {
  const digest: Record<string, string> = Object.create(null);
  if (value === undefined) return digest;
  if (!isJsonObject(value)) throw malformed(where, "has a digest that is not an object");
  for (const [algorithm, hex] of Object.entries(value)) {
    if (typeof hex !== "string") throw malformed(where, "has a digest value that is not a string");
    digest[algorithm] = hex;
  }
  return digest;
}

function assertDigest(algorithm: string, hex: string, where: string): void {
  if (!isKnownAlgorithm(algorithm)) return;
  try {
    digestOf(algorithm, hex);
  } catch (cause) {
    throw malformed(where, `has a malformed ${algorithm} digest`, cause);
  }
}

function isFormed(algorithm: string, hex: string): boolean {
  try {
    assertDigest(algorithm, hex, "");
    return true;
  } catch (error) {
    if (error instanceof AttestationFormatError) return false;
    throw error;
  }
}

function malformed(where: string, what: string, cause?: unknown): AttestationFormatError {
  return new AttestationFormatError("malformed-statement", `${where} ${what}`, { cause });
}
