import { API_VERSION } from "../policy.ts";
import { name, oneOf, optional, type Reader, record, required, text } from "./readers.ts";

/** A document of a policy file, as it is written; the members of each kind are described in docs/policy.md and docs/access.md. */
export interface WrittenDocument<Spec> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly spec: Spec;
}

interface Metadata {
  readonly name: string;
  readonly description?: string;
  readonly owner?: string;
}

const nameAndDescription = record({ name: required(name), description: optional(text) });

/** Reads one document of these kinds. What is wrong with it is reported, all of it. */
export function documentOf<Spec>(
  kinds: readonly string[],
  spec: Reader<Spec>,
  metadata: Reader<Metadata> = nameAndDescription,
): Reader<WrittenDocument<Spec>> {
  return record({
    apiVersion: required(oneOf([API_VERSION])),
    kind: required(oneOf(kinds)),
    metadata: required(metadata),
    spec: required(spec),
  });
}
