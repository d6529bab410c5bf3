import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BaseFetcher, Updater } from "tuf-js";
import { DownloadHTTPError } from "tuf-js/dist/error.js";
import { VouchsafeError } from "../errors.ts";
import {
  canonicalJson,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
  sha256,
} from "../in-toto-attestation/index.ts";
import { fetchOutbound } from "../outbound/fetch-outbound.ts";
import type { OutboundRules } from "../outbound/rules.ts";
import type { TufSource } from "./tuf-source.ts";

// The one place that knows tuf-js, which does the client's workflow of the TUF specification (§5).

/** A target that the repository vouches for now. */
export interface TufTarget {
  readonly bytes: Uint8Array;
  /** `cache`: the repository could not be asked or believed, and what it said before has not expired. */
  readonly from: "network" | "cache";
  /** Why the network is not where it came from. */
  readonly problem?: string;
  /** The newest root metadata. */
  readonly root: JsonObject;
  readonly targetsVersion: number;
  /** When the first of the metadata expires; milliseconds since the epoch. */
  readonly expires: number;
}

export interface TufOptions {
  /** Where metadata and targets are kept; each repository and root has a folder of its own in it. */
  readonly cacheDir: string;
  /** Whom it may ask, where a tenant named the repository; absent: whomever the installation's own operators named. */
  readonly outbound?: OutboundRules;
}

/** No answer is worth waiting longer for: the cache is there. */
const TIMEOUT = 5_000;
const MAX_TARGET_BYTES = 4 * 1024 * 1024;

/**
 * The target from the network, else from the cache while that has not expired.
 *
 * Throws `VouchsafeError` (`unavailable`) when neither can vouch for it, saying why for both.
 */
export async function readTufTarget(
  source: Pick<TufSource, "repository" | "root"> & { readonly target: string },
  { cacheDir, outbound }: TufOptions,
): Promise<TufTarget> {
  const { repository, root, target } = source;
  // What was believed on the word of one root says nothing about another.
  const name = sha256(Buffer.from(canonicalJson({ repository, root }))).slice("sha256:".length);
  const directory = join(cacheDir, name);
  const open = (from: TufTarget["from"]) =>
    new Updater({
      metadataBaseUrl: repository,
      metadataDir: directory,
      targetBaseUrl: `${repository}/targets`,
      targetDir: join(directory, "targets"),
      forceCache: from === "cache",
      config: { fetchTimeout: TIMEOUT, fetchRetry: 0 },
      ...(from === "network" && outbound !== undefined && { fetcher: new GuardedFetcher(outbound) }),
      ...(from === "cache" && { fetcher: new NoNetwork() }),
    });
  await seed(directory, root, () => open("cache"));
  try {
    return await read(open("network"), directory, target, "network");
  } catch (cause) {
    const problem = reasonOf(cause);
    try {
      await refuseExpired(directory);
      return { ...(await read(open("cache"), directory, target, "cache")), problem };
    } catch (inCache) {
      throw new VouchsafeError(
        "unavailable",
        `the TUF repository ${repository} cannot vouch for ${target}: ${problem}; from the cache: ${reasonOf(inCache)}`,
        { cause },
      );
    }
  }
}

/** Goes out as whatever a stranger names is gone out to. */
class GuardedFetcher extends BaseFetcher {
  readonly #rules: OutboundRules;

  constructor(rules: OutboundRules) {
    super();
    this.#rules = rules;
  }

  override async fetch(url: string) {
    const asked = { rules: this.#rules, accept: "*/*", maxBytes: MAX_TARGET_BYTES, timeout: TIMEOUT };
    const { status, bytes } = await fetchOutbound(url, asked);
    // The updater takes 403 and 404 of this class for "there is no newer root".
    if (status !== 200) throw new DownloadHTTPError(`status ${status}`, status);
    return new Blob([new Uint8Array(bytes)]).stream();
  }
}

class NoNetwork extends BaseFetcher {
  override async fetch(): Promise<never> {
    throw new Error("it does not hold everything");
  }
}

/** Root metadata that a crash cut off in the middle of writing it gives way to the one that is pinned. */
async function seed(directory: string, root: JsonObject, open: () => Updater): Promise<void> {
  try {
    open();
  } catch {
    await rm(directory, { recursive: true, force: true });
    await mkdir(join(directory, "targets"), { recursive: true });
    await writeFile(join(directory, "root.json"), JSON.stringify(root));
  }
}

async function read(
  updater: Updater,
  directory: string,
  target: string,
  from: TufTarget["from"],
): Promise<TufTarget> {
  await updater.refresh();
  const info = await updater.getTargetInfo(target);
  if (info === undefined) throw new Error(`there is no target ${target}`);
  if (info.length > MAX_TARGET_BYTES) throw new Error(`${target} is larger than ${MAX_TARGET_BYTES} bytes`);
  const path = (await updater.findCachedTarget(info)) ?? (await updater.downloadTarget(info));
  const bytes = await readFile(path);
  const [root, timestamp, snapshot, targets] = await readMetadata(directory);
  return {
    bytes,
    from,
    root: root.file,
    targetsVersion: targets.version,
    expires: Math.min(root.expires, timestamp.expires, snapshot.expires, targets.expires),
  };
}

/** tuf-js would go on to ask the network, and then say no more than that it could not. */
async function refuseExpired(directory: string): Promise<void> {
  const metadata = await readMetadata(directory).catch(() => {
    throw new Error("nothing was fetched before");
  });
  const expires = Math.min(...metadata.map((one) => one.expires));
  if (expires <= Date.now()) throw new Error(`its metadata expired on ${new Date(expires).toISOString()}`);
}

interface Metadata {
  readonly file: JsonObject;
  readonly version: number;
  readonly expires: number;
}

async function readMetadata(directory: string): Promise<[Metadata, Metadata, Metadata, Metadata]> {
  const one = async (role: string): Promise<Metadata> => {
    const file = parseJson(await readFile(join(directory, `${role}.json`)));
    const signed: JsonValue | undefined = isJsonObject(file) ? file.signed : undefined;
    if (!isJsonObject(file) || !isJsonObject(signed)) throw new Error(`${role}.json is not metadata`);
    return { file, version: Number(signed.version), expires: Date.parse(String(signed.expires)) };
  };
  return Promise.all([one("root"), one("timestamp"), one("snapshot"), one("targets")]);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message} (${cause.message})` : error.message;
}
