import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { VouchsafeError } from "../../errors.ts";
import type { PolicyFile } from "../../policy/load.ts";
import { policyFileNames } from "../../policy-files.ts";
import type { PolicyReload } from "./reload-policies.ts";

/** What this node knows of its policy directory. */
export interface PolicyDirectory {
  /** What it held when it was last read and what came of it is settled, and the log's size before it was read. */
  read: { readonly files: readonly PolicyFile[]; readonly asOf: number };
  lastReload: PolicyReload | null;
  /** Ends when the reload under way does: one follows another. */
  turn: Promise<unknown>;
}

/** For how long files must stay the same to be taken for whole, in milliseconds, and how often they are looked at for that. */
const SETTLE = 250;
const LOOKS = 20;

export function createPolicyDirectory(): PolicyDirectory {
  return { read: { files: [], asOf: 0 }, lastReload: null, turn: Promise.resolve() };
}

/**
 * The policy files of a directory, by their names.
 *
 * @throws VouchsafeError `configuration-invalid`
 */
export async function readPolicyFiles(directory: string): Promise<PolicyFile[]> {
  try {
    const names = await policyFileNames(directory);
    return await Promise.all(
      names.map(async (name) => ({ name, text: await readFile(join(directory, name), "utf8") })),
    );
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new VouchsafeError("configuration-invalid", `The policies in ${directory} cannot be read: ${why}`, {
      cause,
    });
  }
}

/**
 * The same once nobody is writing there: two looks in a row must find it the same. So neither files of which one is old
 * and one new are taken together, nor the beginning of one that is being written.
 *
 * @throws VouchsafeError `configuration-invalid`, also when it keeps changing
 */
export async function readSettledPolicyFiles(directory: string): Promise<PolicyFile[]> {
  let before = await look(directory);
  for (let looks = 1; looks < LOOKS; looks += 1) {
    await sleep(SETTLE);
    const now = await look(directory);
    if (now.likeness !== before.likeness) {
      before = now;
      continue;
    }
    if (now.files === undefined) throw now.error;
    return now.files;
  }
  throw new VouchsafeError("configuration-invalid", `The policies in ${directory} keep changing`);
}

/** What is there, as one text to compare. */
export async function likenessOf(directory: string): Promise<string> {
  return (await look(directory)).likeness;
}

type Look = { readonly likeness: string } & (
  | { readonly files: PolicyFile[] }
  | { readonly files?: undefined; readonly error: unknown }
);

async function look(directory: string): Promise<Look> {
  try {
    const files = await readPolicyFiles(directory);
    return { files, likeness: JSON.stringify(files) };
  } catch (error) {
    return { error, likeness: String(error) };
  }
}
