import { basename } from "node:path";
import { VouchsafeError } from "../../errors.ts";
import { addToTrust, type FileOptions, readTrustFile } from "../../trust/files.ts";
import { createTrust, parseTrust, type TrustDocument, type TrustSnapshot } from "../../trust/snapshot.ts";
import { UsageError } from "../usage-error.ts";
import { readBytes, requireReadable } from "./files.ts";

/** Files that say who is believed. */
export interface TrustOptions {
  /** A whole trust document, as `trust show --document` prints it. */
  readonly trust?: string;
  /** Sigstore trusted roots, or certificates of private roots in PEM. */
  readonly trustedRoot?: readonly string[];
  /** Public keys in PEM, or an npm registry's keys.json. */
  readonly key?: readonly string[];
}

export interface Believed {
  readonly trust: TrustSnapshot;
  /** Of the keys that were named for this verification, which say by that who may sign. */
  readonly keys: readonly string[];
}

/** What to verify under; without root or document, Sigstore's public-good instance as it ships with us. */
export async function readTrust({ trust, trustedRoot = [], key = [] }: TrustOptions): Promise<Believed> {
  if (trust !== undefined && trustedRoot.length > 0) {
    throw new UsageError("--trust is a whole trust document: give no --trusted-root beside it");
  }
  try {
    const keys = await partsOf(key);
    if (keys.some(({ sigstore, x509 = [] }) => sigstore.length + x509.length > 0)) {
      throw new UsageError("--key takes public keys: name roots and certificates with --trusted-root");
    }
    const base = await baseOf(trust, trustedRoot);
    return {
      trust: createTrust(addToTrust(base, keys)),
      keys: keys.flatMap((part) => part.keys.map(({ name }) => name)),
    };
  } catch (cause) {
    // What is wrong is a file that the command line names, and not the evidence.
    if (cause instanceof VouchsafeError) {
      throw new UsageError(`The trust that the command line names does not load: ${cause.message}`, {
        cause,
      });
    }
    throw cause;
  }
}

async function baseOf(trust: string | undefined, trustedRoots: readonly string[]): Promise<TrustDocument> {
  if (trust !== undefined) return parseTrust(await readBytes(trust)).document;
  if (trustedRoots.length === 0) {
    // Loaded here alone: it is large.
    const { embeddedPublicGood } = await import("../../trust/embedded.ts");
    return { sigstore: [embeddedPublicGood()], keys: [] };
  }
  const parts = await partsOf(trustedRoots);
  if (parts.some(({ keys }) => keys.length > 0)) {
    throw new UsageError("--trusted-root takes roots and certificates: name public keys with --key");
  }
  return addToTrust({ sigstore: [], keys: [] }, parts);
}

/** Each file's part is named after it; where two files have one name, by the whole path. */
function partsOf(files: readonly string[]): Promise<TrustDocument[]> {
  const names = files.map((file) => basename(file));
  const isShared = (file: string) => names.filter((name) => name === basename(file)).length > 1;
  return Promise.all(files.map((file) => partOf(file, isShared(file) ? { name: file } : {})));
}

/** Held by itself to what is asked of trust: in the whole document it would not be said which file it was. */
async function partOf(file: string, options: FileOptions): Promise<TrustDocument> {
  await requireReadable(file);
  const part = await readTrustFile(file, options);
  try {
    createTrust(part);
  } catch (cause) {
    if (!(cause instanceof VouchsafeError)) throw cause;
    throw new UsageError(`${file} does not load: ${cause.message}`, { cause });
  }
  return part;
}
