import { readIfThere } from "../../create-once.ts";
import { VouchsafeError } from "../../errors.ts";
import { isJsonObject, parseJson } from "../../in-toto-attestation/index.ts";
import { replaceFile } from "../../replace-file.ts";
import { decodeBase64, encodeBase64 } from "../../tlog/base64.ts";
import { HASH_BYTES } from "../../tlog/hash.ts";
import { isTreeSize } from "../../tlog/subtrees.ts";
import type { SoundTree } from "./fsck-walk.ts";

const FORMAT = "vouchsafe-fsck/v1";

/**
 * The tree up to which `fsck` found everything right before; undefined where there is no file.
 *
 * Throws `configuration-invalid` for another file.
 */
export async function readFsckState(path: string): Promise<SoundTree | undefined> {
  const bytes = await readIfThere(path);
  if (bytes === undefined) return undefined;
  const state = parseState(bytes);
  if (state === undefined)
    throw new VouchsafeError("configuration-invalid", `${path} is no state of \`vouchsafe log fsck\``);
  return state;
}

function parseState(bytes: Uint8Array): SoundTree | undefined {
  try {
    const value = parseJson(bytes);
    if (!isJsonObject(value) || value.format !== FORMAT) return undefined;
    const { size, root: text } = value;
    const root = typeof text === "string" ? decodeBase64(text) : undefined;
    if (!isTreeSize(size) || root?.length !== HASH_BYTES) return undefined;
    return { size, root };
  } catch {
    return undefined;
  }
}

/** Puts the file in the place of the one before. */
export async function writeFsckState(path: string, { size, root }: SoundTree): Promise<void> {
  await replaceFile(path, `${JSON.stringify({ format: FORMAT, size, root: encodeBase64(root) })}\n`);
}
