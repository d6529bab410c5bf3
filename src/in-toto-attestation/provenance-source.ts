import type { Provenance, ResourceDescriptor } from "./types.ts";

type Source = NonNullable<Provenance["source"]>;

/** The source that a descriptor's uri names: `git+https://host/path@refs/tags/v1` (SPDX download location). */
export function sourceFromUri(descriptor: ResourceDescriptor): Source | undefined {
  if (descriptor.uri === undefined) return undefined;
  const location = withoutScheme(descriptor.uri);
  // A ref may itself hold "@refs/", a repository's URL never does: the first one separates them.
  const at = location.indexOf("@refs/");
  if (at === -1) return source(location, undefined, commitOf(descriptor));
  return source(location.slice(0, at), location.slice(at + 1), commitOf(descriptor));
}

/** The source of a build type that names repository and ref apart; the commit is that of the same repository. */
export function sourceFromRepository(
  repository: string,
  ref: string,
  dependencies: readonly ResourceDescriptor[],
): Source {
  const uri = withoutScheme(repository);
  const same = dependencies
    .map(sourceFromUri)
    .find((other) => other?.uri === uri && (other.ref ?? ref) === ref);
  return source(uri, ref, same?.commit);
}

/** The first dependency or material that is a git repository. */
export function sourceAmong(dependencies: readonly ResourceDescriptor[]): Source | undefined {
  return sourcesAmong(dependencies)[0];
}

/** The one git repository, at one commit, that these name; of several nobody can say which is the source. */
export function onlySourceAmong(dependencies: readonly ResourceDescriptor[]): Source | undefined {
  const sources = sourcesAmong(dependencies);
  const one = new Set(sources.map(({ uri, ref, commit }) => JSON.stringify([uri, ref, commit]))).size === 1;
  return one ? sources[0] : undefined;
}

function sourcesAmong(dependencies: readonly ResourceDescriptor[]): Source[] {
  return dependencies
    .filter(({ uri }) => uri?.startsWith("git+"))
    .flatMap((dependency) => sourceFromUri(dependency) ?? []);
}

function withoutScheme(uri: string): string {
  return uri.startsWith("git+") ? uri.slice("git+".length) : uri;
}

function commitOf({ digest }: ResourceDescriptor): string | undefined {
  return digest.gitCommit ?? digest.sha1;
}

function source(uri: string, ref: string | undefined, commit: string | undefined): Source {
  return { uri, ...(ref === undefined ? {} : { ref }), ...(commit === undefined ? {} : { commit }) };
}
