import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename } from "node:path";
import { initTUF } from "@sigstore/tuf";
import { isJsonObject, type JsonObject, parseJson } from "../in-toto-attestation/index.ts";
import { invalid } from "./members.ts";
import type { TrustDocument } from "./snapshot.ts";
import type { TrustedKey } from "./trusted-key.ts";

// Where trust documents' parts come from: files, the network, and what ships with the TUF client.

const PUBLIC_GOOD = "public-good";
const PUBLIC_GOOD_MIRROR = "https://tuf-repo-cdn.sigstore.dev";
const TRUSTED_ROOT = "trusted_root.json";

type InstanceDocument = TrustDocument["sigstore"][number];

/** The public-good instance's trusted root as it ships with @sigstore/tuf: needs no network and no cache. */
export async function embeddedPublicGood(): Promise<InstanceDocument> {
  const seeds = createRequire(import.meta.url).resolve("@sigstore/tuf/seeds.json");
  const repositories = readObject(await readFile(seeds));
  const repository = repositories[PUBLIC_GOOD_MIRROR];
  const targets = isJsonObject(repository) ? repository.targets : undefined;
  const trustedRoot = isJsonObject(targets) ? targets[TRUSTED_ROOT] : undefined;
  if (typeof trustedRoot !== "string") throw invalid("@sigstore/tuf ships no public-good trusted root");
  return { name: PUBLIC_GOOD, trustedRoot: readObject(Buffer.from(trustedRoot, "base64")) };
}

export interface RefreshedInstance {
  readonly instance: InstanceDocument;
  /** `network`: TUF metadata was just refreshed. `cache`: it was not, and what is cached has not expired. */
  readonly source: "network" | "cache" | "embedded";
}

/**
 * The public-good instance's trusted root by way of TUF: from the network, else from what `cacheDir` holds and
 * has not expired, else the embedded one. Never throws for want of a network.
 */
export async function refreshPublicGood(cacheDir: string): Promise<RefreshedInstance> {
  for (const source of ["network", "cache"] as const) {
    const trustedRoot = await fetchTrustedRoot(cacheDir, source === "cache");
    if (trustedRoot !== undefined) return { instance: { name: PUBLIC_GOOD, trustedRoot }, source };
  }
  return { instance: await embeddedPublicGood(), source: "embedded" };
}

/** Undefined when TUF could not vouch for one: no network, expired or contradictory metadata. */
async function fetchTrustedRoot(cachePath: string, forceCache: boolean): Promise<JsonObject | undefined> {
  try {
    const client = await initTUF({ cachePath, forceCache, retry: 0, mirrorURL: PUBLIC_GOOD_MIRROR });
    return readObject(Buffer.from(await client.getTarget(TRUSTED_ROOT)));
  } catch {
    return undefined;
  }
}

/**
 * Reads trusted roots (`trusted_root.json`) and SPKI PEM keys from files. Each is named by its file name without
 * the extension. Throws `VouchsafeError` (`invalid-trust`) for a file that cannot be read.
 */
export async function readTrustFiles(paths: {
  readonly trustedRoots: readonly string[];
  readonly keys: readonly string[];
}): Promise<TrustDocument> {
  const sigstore = paths.trustedRoots.map(async (path) => ({
    name: nameOf(path),
    trustedRoot: readObject(await readTrustFile(path), path),
  }));
  const keys = paths.keys.map(
    async (path): Promise<TrustedKey> => ({
      name: nameOf(path),
      publicKey: (await readTrustFile(path)).toString(),
    }),
  );
  return { sigstore: await Promise.all(sigstore), keys: await Promise.all(keys) };
}

async function readTrustFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw invalid(`${path} cannot be read`, cause);
  }
}

function nameOf(path: string): string {
  return basename(path).replace(/\.(?:json|pem|pub)$/, "");
}

/** @param source what the bytes came from, for the error */
function readObject(bytes: Uint8Array, source = "a trusted root"): JsonObject {
  const value = readJsonFile(bytes, source);
  if (!isJsonObject(value)) throw invalid(`${source} is not a JSON object`);
  return value;
}

function readJsonFile(bytes: Uint8Array, source: string) {
  try {
    return parseJson(bytes);
  } catch (cause) {
    throw invalid(`${source} is not strict JSON`, cause);
  }
}
