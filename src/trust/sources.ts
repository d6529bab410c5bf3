import seeds from "@sigstore/tuf/seeds.json" with { type: "json" };
import { isJsonObject, type JsonObject, parseJson } from "../in-toto-attestation/index.ts";
import { invalid } from "./members.ts";
import type { TrustDocument } from "./snapshot.ts";
import { readTufTarget, type TufOptions, type TufTarget } from "./tuf.ts";
import { parseTufSource, TRUSTED_ROOT, type TufSource } from "./tuf-source.ts";

// Where the trusted roots of Sigstore instances come from: what ships with the TUF client, and TUF repositories.

export const PUBLIC_GOOD = "public-good";
export const PUBLIC_GOOD_REPOSITORY = "https://tuf-repo-cdn.sigstore.dev";

export type InstanceDocument = TrustDocument["sigstore"][number];

/** The public-good instance as it ships with @sigstore/tuf: needs no network and no cache, and can be refreshed. */
export function embeddedPublicGood(): InstanceDocument {
  const { "root.json": root, targets } = seeds[PUBLIC_GOOD_REPOSITORY];
  return {
    name: PUBLIC_GOOD,
    trustedRoot: decoded(targets[TRUSTED_ROOT]),
    tuf: { repository: PUBLIC_GOOD_REPOSITORY, root: decoded(root) },
  };
}

function decoded(base64: string): JsonObject {
  return parseTrustedRoot(Buffer.from(base64, "base64"), "@sigstore/tuf/seeds.json");
}

export interface RefreshedInstance {
  /** As the repository publishes it now; its other members as they were. */
  readonly instance: InstanceDocument;
  readonly answer: Pick<TufTarget, "from" | "problem" | "expires">;
}

/**
 * An instance as its TUF repository publishes it now. What is cached counts until it expires.
 *
 * Throws `VouchsafeError`: `unavailable` when the repository cannot vouch for any, `invalid-trust` for a source or
 * a trusted root that is not one.
 */
export async function refreshInstance(
  instance: Omit<InstanceDocument, "trustedRoot"> & { readonly tuf: TufSource },
  options: TufOptions,
): Promise<RefreshedInstance> {
  const source = parseTufSource({ ...instance.tuf }, instance.name);
  const { bytes, root, targetsVersion, ...answer } = await readTufTarget(source, options);
  const trustedRoot = parseTrustedRoot(bytes, `${source.repository}: ${source.target}`);
  return { instance: { ...instance, trustedRoot, tuf: { ...instance.tuf, root, targetsVersion } }, answer };
}

/** @param where what the bytes came from, for the error */
export function parseTrustedRoot(bytes: Uint8Array, where: string): JsonObject {
  const value = readStrict(bytes, where);
  if (!isJsonObject(value)) throw invalid(`${where} is not a JSON object`);
  return value;
}

function readStrict(bytes: Uint8Array, where: string) {
  try {
    return parseJson(bytes);
  } catch (cause) {
    throw invalid(`${where} is not strict JSON`, cause);
  }
}
