import { isHttpUrl } from "../http-url.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../in-toto-attestation/index.ts";
import { invalid, objectAt, stringAt } from "./members.ts";

/** A TUF repository that publishes an instance's trusted root, as a trust document writes it. */
export interface TufSource {
  /** URL: metadata lies directly below it, targets below `targets/`. */
  readonly repository: string;
  /** A `root.json` of the repository: what a refresh starts from. A refresh that is activated leaves the newest here. */
  readonly root: JsonObject;
  /** Path of the trusted root among the targets. Default: `trusted_root.json`. */
  readonly target?: string;
  /** Version of the targets metadata that named this trusted root; absent before a refresh. */
  readonly targetsVersion?: number;
}

/** A `TufSource` that was checked, with its defaults. */
export interface PreparedTufSource extends Required<TufSource> {
  readonly rootVersion: number;
}

export const TRUSTED_ROOT = "trusted_root.json";
/** `targetsVersion` of an instance that was not refreshed yet: versions of TUF begin at 1. */
const NEVER_REFRESHED = 0;

/**
 * Reads the shape; whether the root's signatures hold is for the refresh to say, and until then nothing rests on
 * them. Throws `VouchsafeError` (`invalid-trust`).
 */
export function parseTufSource(value: JsonValue | undefined, where: string): PreparedTufSource {
  const source = objectAt(value, where, ["repository", "root", "target", "targetsVersion"]);
  const repository = stringAt(source.repository, `${where}.repository`);
  if (!isHttpUrl(repository)) {
    throw invalid(`${where}.repository is not an http:// or https:// URL`);
  }
  const { root, target, targetsVersion } = source;
  if (!isJsonObject(root) || !isJsonObject(root.signed) || root.signed._type !== "root") {
    throw invalid(`${where}.root is not the root metadata of a TUF repository`);
  }
  return {
    repository: repository.replace(/\/+$/, ""),
    root,
    rootVersion: versionAt(root.signed.version, `${where}.root.signed.version`),
    target: target === undefined ? TRUSTED_ROOT : stringAt(target, `${where}.target`),
    targetsVersion:
      targetsVersion === undefined ? NEVER_REFRESHED : versionAt(targetsVersion, `${where}.targetsVersion`),
  };
}

function versionAt(value: JsonValue | undefined, where: string): number {
  if (!Number.isSafeInteger(value) || Number(value) < 1) throw invalid(`${where} is not a version`);
  return Number(value);
}

interface Sourced {
  readonly name: string;
  readonly tuf?: PreparedTufSource;
}

/**
 * Refuses instances that are older than what is active from the same repository: TUF's own guard against going back
 * is each node's cache, and a cache can be lost.
 *
 * Throws `VouchsafeError` (`invalid-trust`).
 */
export function refuseOlder(next: readonly Sourced[], active: readonly Sourced[]): void {
  for (const { name, tuf } of next) {
    if (tuf === undefined) continue;
    const older = active.some(
      (one) =>
        one.tuf?.repository === tuf.repository &&
        one.tuf.target === tuf.target &&
        (one.tuf.rootVersion > tuf.rootVersion || one.tuf.targetsVersion > tuf.targetsVersion),
    );
    if (older) {
      throw invalid(
        `the trusted root of ${name} is older than the active one from ${tuf.repository}: to go back all the same, ` +
          "take its tuf member away first",
      );
    }
  }
}
