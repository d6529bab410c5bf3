import { algorithmOf, digestOf, hexOf } from "./digest.ts";
import type { Digest, JsonValue, Statement } from "./types.ts";

/**
 * The digests that evidence about a git commit may name it by, by its id in hex: `gitCommit` as SLSA's source track asks
 * (slsa.dev/spec/v1.2/source-requirements, "Source verification summary attestation"), and `sha1`, which in-toto's
 * digest sets used before. None for what is no id of a commit.
 */
export function revisionDigests(commit: string): Digest[] {
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) return [];
  const own = digestOf("gitCommit", commit);
  return commit.length === 40 ? [own, digestOf("sha1", commit)] : [own];
}

/** How the references that pointed to a revision are called: by the specification, and by those who wrote it down earlier. */
const REFERENCES = ["sourceRefs", "source_refs", "source_branches"] as const;

/**
 * The git references that the Statement says pointed to the revision, e.g. `refs/heads/main`: its subject's annotation
 * `sourceRefs`. Undefined where it names none.
 */
export function sourceRefsOf({ subject }: Statement, revision: Digest): readonly string[] | undefined {
  const [algorithm, hex] = [algorithmOf(revision), hexOf(revision)];
  const named = subject
    .filter(({ digest }) => Object.hasOwn(digest, algorithm) && digest[algorithm] === hex)
    .flatMap(({ annotations }) => REFERENCES.map((name) => annotations?.[name]))
    .find((value) => value !== undefined);
  return named === undefined ? undefined : texts(named);
}

/** What is no text names no reference. */
function texts(value: JsonValue): string[] {
  return Array.isArray(value) ? value.filter((item: JsonValue) => typeof item === "string") : [];
}
