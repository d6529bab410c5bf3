import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AuthorityUse } from "../trust/authority.ts";
import { embeddedPublicGood, PUBLIC_GOOD_REPOSITORY } from "../trust/embedded.ts";
import { addToTrust, readTrustFile } from "../trust/files.ts";
import { type InstanceDocument, parseTrust, type TrustDocument } from "../trust/snapshot.ts";
import { refreshInstance } from "../trust/sources.ts";
import { parseTrustedRoot } from "../trust/trusted-root-file.ts";
import type { TufSource } from "../trust/tuf-source.ts";
import { readBytes, requireReadable } from "./arguments/files.ts";
import { UsageError } from "./usage-error.ts";

export interface ImportOptions {
  readonly name?: string;
  readonly use?: readonly AuthorityUse[];
  readonly predicateType?: readonly string[];
  readonly tuf?: string;
  readonly root?: string;
  readonly target?: string;
}

/** The parts of a trust document that the command line names: files, or a TUF repository. */
export async function readParts(files: readonly string[], options: ImportOptions): Promise<TrustDocument[]> {
  const { name, use, predicateType, tuf } = options;
  if ((tuf === undefined) === (files.length === 0)) {
    throw new UsageError("Name the files to import, or a TUF repository with --tuf, and not both");
  }
  if (tuf !== undefined) return [{ sigstore: [await fetchInstance(tuf, options)], keys: [] }];
  if (name !== undefined && files.length > 1) throw new UsageError("--name is for one file");
  await Promise.all(files.map(requireReadable));
  return Promise.all(
    files.map((file) =>
      readTrustFile(file, {
        ...(name !== undefined && { name }),
        ...(use !== undefined && { uses: use }),
        ...(predicateType !== undefined && { predicateTypes: predicateType }),
      }),
    ),
  );
}

/**
 * The trust document with these parts added.
 *
 * @param active as the server answers: null where none is active
 */
export function addParts(active: unknown, parts: readonly TrustDocument[]): TrustDocument {
  const document =
    active === null ? { sigstore: [], keys: [] } : parseTrust(Buffer.from(JSON.stringify(active))).document;
  return addToTrust(document, parts);
}

/** What the repository publishes now, fetched from here and cached nowhere. */
async function fetchInstance(repository: string, options: ImportOptions): Promise<InstanceDocument> {
  const { name = URL.parse(repository)?.host ?? repository, target } = options;
  const tuf: TufSource = {
    repository,
    root: await initialRoot(repository, options.root),
    ...(target !== undefined && { target }),
  };
  const cacheDir = await mkdtemp(join(tmpdir(), "vouchsafe-tuf-"));
  try {
    return (await refreshInstance({ name, tuf }, { cacheDir })).instance;
  } finally {
    await rm(cacheDir, { recursive: true });
  }
}

async function initialRoot(repository: string, file: string | undefined): Promise<TufSource["root"]> {
  if (file !== undefined) return parseTrustedRoot(await readBytes(file), file);
  const { tuf } = embeddedPublicGood();
  if (repository !== PUBLIC_GOOD_REPOSITORY || tuf === undefined) {
    throw new UsageError(
      "--root FILE is needed: the repository's root.json, from where you have reason to believe it",
    );
  }
  return tuf.root;
}
