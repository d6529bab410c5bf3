import { textsOf } from "./json-fields.ts";

/** Labels come with the image and from whoever starts the container: the first by name are as many as count. */
const MAX_LABELS = 32;

/** `PREFIX:NAME:VALUE` for each. Throws `Error` for what are no labels. */
export function labelSelectors(prefix: string, labels: unknown): string[] {
  return textsOf(labels, "labels")
    .slice(0, MAX_LABELS)
    .map(([name, value]) => `${prefix}:${name}:${value}`);
}
