import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import {
  digestOf,
  groundsAllow,
  isKnownAlgorithm,
  KNOWN_ALGORITHMS,
  parseDigest,
} from "../../in-toto-attestation/digest.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import type { NamePattern } from "../../verify/expected-signer.ts";
import { UsageError } from "../usage-error.ts";
import { reasonOf } from "./files.ts";

/** What is named on the command line by its sha256, as evidence is: a digest as it is, or the sha256 of a file. */
export async function digestOfArgument(argument: string): Promise<string> {
  const digest = digestIn(argument);
  if (digest !== undefined) return digest;
  const [sha256 = argument] = await hashesOf(argument, ["sha256"]);
  return sha256;
}

/** An artifact as named on the command line: a digest as it is, or a file's digests, of which any may be what evidence calls it. */
export async function digestsOfArgument(argument: string): Promise<readonly [string, ...string[]]> {
  const digest = digestIn(argument);
  return digest === undefined ? digestsOfFile(argument) : [digest];
}

/**
 * A file's digests of each algorithm that can ground an allow: any of them may be what evidence calls it.
 *
 * @param progress is told how far a large file is read
 */
export async function digestsOfFile(
  path: string,
  progress?: (line: string) => void,
): Promise<readonly [Digest, ...Digest[]]> {
  return (await hashesOf(path, [...ALGORITHM_BY_LENGTH.values()], progress)) as [Digest, ...Digest[]];
}

/** An artifact that evidence is held against here. */
export interface NamedArtifact {
  /** What is known of it, of algorithms that can ground an allow. */
  readonly digests: readonly Digest[];
  /** What a platform calls it, where that is all that is known: `gce_image_id:8970…`. */
  readonly alias?: string;
  /** The file that it is, where it is at hand. */
  readonly path?: string;
  /** Where it is, as its registry was asked: `oci://…`. */
  readonly reference?: string;
  /** What evidence about it must call it, where its registry publishes by name. */
  readonly name?: NamePattern;
}

/** Between two words on how far the hashing is. */
const TOLD_BYTES = 64 * 1024 * 1024;

/** The algorithms that an artifact is asked about by, which tell a digest that goes without its own: by hexadecimal digits. */
export const ALGORITHM_BY_LENGTH: ReadonlyMap<number, string> = new Map([
  [64, "sha256"],
  [96, "sha384"],
  [128, "sha512"],
]);

const LOOKS_LIKE_AN_ALIAS = /^([a-z0-9_]+):[^/\s]+$/;

/**
 * As named on the command line: a file, which is read once, or where there is none of that name, a digest.
 *
 * @param progress is told how far a large file is read
 */
export async function artifactOfArgument(
  argument: string,
  progress?: (line: string) => void,
): Promise<NamedArtifact> {
  if (!(await exists(argument))) {
    const digest = digestIn(argument);
    if (digest !== undefined && groundsAllow(digest)) return { digests: [digest] };
    const [, scheme] = LOOKS_LIKE_AN_ALIAS.exec(argument) ?? [];
    // A digest of a weak or misspelt algorithm is no name.
    if (scheme !== undefined && !isKnownAlgorithm(scheme)) return { digests: [], alias: argument };
  }
  return { digests: await digestsOfFile(argument, progress), path: argument };
}

function digestIn(argument: string): Digest | undefined {
  try {
    return parseDigest(argument);
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function hashesOf(
  path: string,
  algorithms: readonly string[],
  progress?: (line: string) => void,
): Promise<Digest[]> {
  let [size, told] = [0, 0];
  const hashes = algorithms.map((name) => createHash(name));
  try {
    await pipeline(createReadStream(path), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        for (const hash of hashes) hash.update(chunk);
        size += chunk.length;
        if (size - told < TOLD_BYTES) continue;
        told = size;
        progress?.(`hashing ${path}: ${Math.round(size / 1e6)} MB`);
      }
    });
  } catch (cause) {
    throw new UsageError(whyNoArtifact(path, cause), { cause });
  }
  return algorithms.map((name, i) => digestOf(name, hashes[i]?.digest("hex") ?? ""));
}

/** What looks like a digest is most often one that is written wrongly. */
function whyNoArtifact(argument: string, cause: unknown): string {
  const [, algorithm = "", value = ""] = /^(?:(\w+):)?([0-9A-Fa-f]+)$/.exec(argument) ?? [];
  if (algorithm !== "")
    return `${argument} is no file, and no digest to ask about: ${whyNoDigest(algorithm, value)}`;
  const unnamed = ALGORITHM_BY_LENGTH.get(value.length);
  if (unnamed !== undefined)
    return `${argument} is no file, and a digest names its algorithm before a colon: ${unnamed}:${value.toLowerCase()}`;
  const isThere = !(cause instanceof Error && "code" in cause && cause.code === "ENOENT");
  if (isThere) return `${argument} cannot be read: ${reasonOf(cause)}`;
  return `${argument} is neither a digest, such as sha256:9f86…, nor a file: it is not there`;
}

function whyNoDigest(algorithm: string, value: string): string {
  const name = KNOWN_ALGORITHMS.find((known) => known.toLowerCase() === algorithm.toLowerCase());
  if (name !== undefined && name !== algorithm) return `the algorithm is written ${name}`;
  try {
    digestOf(algorithm, value);
    return "only sha256, sha384 and sha512 ground an allow";
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}
