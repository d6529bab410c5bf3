import { createReadStream } from "node:fs";
import { access, constants, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { PolicyDocument } from "../../client/types.ts";
import type { PolicySet } from "../../policy/load.ts";
import { noPolicyIn } from "../../policy/no-policy.ts";
import { readBounded } from "../../read-bounded.ts";
import { UsageError } from "../usage-error.ts";

/** What the system says most, in words. */
const SYSTEM: ReadonlyMap<unknown, string> = new Map([
  ["ENOENT", "it is not there"],
  ["EACCES", "who runs this may not read it"],
  ["EISDIR", "it is a directory"],
]);

/** More than any file of evidence or keys, be it of many lines. What is named may also be a device, which has no end. */
const MAX_BYTES = 256 * 1024 * 1024;

export async function readBytes(path: string, maxBytes = MAX_BYTES): Promise<Uint8Array> {
  const bytes = await readBounded(createReadStream(path), maxBytes).catch((cause: unknown) => {
    throw new UsageError(`${path} cannot be read: ${reasonOf(cause)}`, { cause });
  });
  if (bytes !== undefined) return bytes;
  throw new UsageError(`${path} cannot be read: it has more than ${maxBytes.toLocaleString("en")} bytes`);
}

/** For files that are read as they come, when the command is under way. */
export async function requireReadable(path: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
    if (!(await stat(path)).isDirectory()) return;
  } catch (cause) {
    throw new UsageError(`${path} cannot be read: ${reasonOf(cause)}`, { cause });
  }
  throw new UsageError(`${path} cannot be read: ${SYSTEM.get("EISDIR")}`);
}

export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(await readBytes(path)));
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`${path} is not JSON: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * Policy documents from files, and from directories the files that a server started on them would read: YAML
 * directly in it, in the order of names, without tests; and the shipped builders that they use.
 */
export async function readPolicyFiles(paths: readonly string[]): Promise<PolicyDocument[]> {
  // Loaded here alone: YAML is large, and every other command would wait for it.
  const { policyFileNames, withShippedBuilders } = await import("../../policy-files.ts");
  const expanded = paths.map(async (path) => {
    try {
      if (!(await stat(path)).isDirectory()) return [path];
      return (await policyFileNames(path)).map((name) => join(path, name));
    } catch (cause) {
      throw new UsageError(`${path} cannot be read: ${reasonOf(cause)}`, { cause });
    }
  });
  const files = (await Promise.all(expanded)).flat();
  if (files.length === 0) throw new UsageError(`There is no .yaml file in ${paths.join(", ")}`);
  const decoder = new TextDecoder();
  return withShippedBuilders(
    await Promise.all(
      files.map(async (file) => ({ name: basename(file), text: decoder.decode(await readBytes(file)) })),
    ),
  );
}

/** What would deny everything is what nobody means by naming files of policies. */
export function requirePolicy(set: PolicySet, paths: readonly string[]): void {
  const mistake = noPolicyIn(set, paths.join(", "));
  if (mistake !== undefined) throw new UsageError(mistake);
}

/** Why a file could not be read. */
export function reasonOf(cause: unknown): string {
  if (cause instanceof Error && "code" in cause) {
    const said = SYSTEM.get(cause.code);
    if (said !== undefined) return said;
  }
  return cause instanceof Error ? cause.message : String(cause);
}
