/** The versions that a tag may be of, by as much of the version as is written. */
export interface VersionedTag {
  /** As written in the policy, e.g. `v1.2`. */
  readonly text: string;
  /** Whether the git reference is a tag of such a version. */
  matches(ref: string): boolean;
}

const NUMBER = "(0|[1-9][0-9]*)";
const WORDS = "[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*";
/** A semantic version after a `v`; minor and patch may be left out, and then stand for 0 (as Go's modules have it). */
const VERSION = new RegExp(`^v${NUMBER}(?:\\.${NUMBER}(?:\\.${NUMBER}(?:-(${WORDS}))?(?:\\+${WORDS})?)?)?$`);
const TAGS = "refs/tags/";

/**
 * Reads `v1`, `v1.2`, `v1.2.3` or `v1.2.3-rc.1`; undefined for anything else. It takes tags whose version begins like that, as
 * slsa-verifier's `--source-versioned-tag` does: `v1.2` takes `v1.2.3`, and `v1.0` takes `v1`. Build metadata says nothing
 * (semver.org, 10). Unlike there a pre-release is taken only where it is written in full.
 */
export function versionedTag(text: string): VersionedTag | undefined {
  const wanted = partsOf(text);
  if (wanted === undefined) return undefined;
  return {
    text,
    matches: (ref) => {
      const found = ref.startsWith(TAGS) ? partsOf(ref.slice(TAGS.length)) : undefined;
      if (found === undefined || found.prerelease !== wanted.prerelease) return false;
      return wanted.numbers.every((number, place) => number === (found.numbers[place] ?? "0"));
    },
  };
}

/** Numbers stay texts: they may be longer than a double can tell apart. */
function partsOf(version: string): { numbers: string[]; prerelease: string | undefined } | undefined {
  const [, major, minor, patch, prerelease] = VERSION.exec(version) ?? [];
  if (major === undefined) return undefined;
  return { numbers: [major, minor, patch].filter((number) => number !== undefined), prerelease };
}
