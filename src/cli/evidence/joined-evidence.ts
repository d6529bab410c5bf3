import { createHash } from "node:crypto";
import { searchRekor } from "../../client/rekor-search.ts";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "../../in-toto-attestation/index.ts";
import { embedLayer } from "../../verify/formats/oci-layer.ts";
import { withLogEntries } from "../../verify/formats/rekor-entries.ts";
import { readBytes } from "../arguments/files.ts";
import { UsageError } from "../usage-error.ts";

/** Where the rest of the evidence is that the pushed files hold a part of. */
export interface PartsElsewhere {
  /** File: an OCI manifest, or one descriptor of it, whose layers the pushed files are. */
  readonly ociManifest?: string;
  /** Files: what Rekor's v1 API answers about entries. */
  readonly rekorEntry?: readonly string[];
  /** URL of a Rekor log to search. */
  readonly rekorUrl?: string;
}

/** Makes one document of each envelope and what belongs to it. */
export type Join = (file: string, bytes: Uint8Array) => Promise<Uint8Array>;

/** Throws `UsageError` for files that cannot be read, or that are not what they should be. */
export async function joinWith({ ociManifest, rekorEntry = [], rekorUrl }: PartsElsewhere): Promise<Join> {
  if (ociManifest !== undefined && (rekorEntry.length > 0 || rekorUrl !== undefined)) {
    throw new UsageError(
      "An OCI layer has its log entry in its annotations: leave --rekor-entry and --rekor-url out",
    );
  }
  if (ociManifest !== undefined) {
    const layers = layersIn(await readDocument(ociManifest), ociManifest);
    return async (file, bytes) => embedLayer(layerOf(layers, file, bytes), bytes);
  }
  if (rekorEntry.length === 0 && rekorUrl === undefined) return async (_, bytes) => bytes;
  const given = await Promise.all(rekorEntry.map(readDocument));
  return async (file, bytes) => {
    const found = rekorUrl === undefined ? [] : await searchRekor(rekorUrl, bytes);
    try {
      return withLogEntries(bytes, [...given, ...found]);
    } catch (cause) {
      // What a search did not find is missing where the evidence is verified, which says so and records it.
      if (given.length === 0) return bytes;
      throw new UsageError(`${file} cannot be joined with the log entries: ${reasonOf(cause)}`, { cause });
    }
  };
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

async function readDocument(file: string): Promise<JsonValue> {
  const bytes = await readBytes(file);
  try {
    return parseJson(bytes);
  } catch (cause) {
    throw new UsageError(`${file} is not JSON`, { cause });
  }
}

/** An image manifest's layers (opencontainers/image-spec manifest.md), or the one descriptor that the file is. */
function layersIn(document: JsonValue, file: string): JsonObject[] {
  const { layers, digest } = isJsonObject(document) ? document : {};
  if (Array.isArray(layers)) return layers.filter(isJsonObject);
  if (isJsonObject(document) && digest !== undefined) return [document];
  throw new UsageError(`${file} is neither an OCI manifest nor a descriptor`);
}

function layerOf(layers: readonly JsonObject[], file: string, bytes: Uint8Array): JsonObject {
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const layer = layers.find((one) => one.digest === digest);
  if (layer === undefined) throw new UsageError(`${file} is no layer of the manifest: none has its digest`);
  return layer;
}
