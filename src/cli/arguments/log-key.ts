import { parseVerifierKey } from "../../tlog/note.ts";
import { UsageError } from "../usage-error.ts";
import { readBytes } from "./files.ts";

/** For who holds a checkpoint to a key that did not sign it: keys are replaced, and older ones lead to newer ones. */
export const KEY_REPLACED =
  "  was the log's key replaced? `vouchsafe log key --trusted KEY` leads from an older one to those that sign now";

/** Verifier keys, `name+hash+base64` (C2SP signed-note), one a line: as they are, or in a file. */
export async function readLogKey(keyOrFile: string): Promise<string> {
  if (areKeys(keyOrFile)) return keyOrFile;
  const bytes = await readBytes(keyOrFile).catch((cause: unknown) => {
    throw new UsageError(noKey(keyOrFile), { cause });
  });
  const text = new TextDecoder().decode(bytes).trim();
  if (!areKeys(text)) throw new UsageError(noKey(keyOrFile));
  return text;
}

function areKeys(text: string): boolean {
  try {
    for (const line of text.trim().split(/\r?\n/)) parseVerifierKey(line);
    return true;
  } catch {
    return false;
  }
}

function noKey(keyOrFile: string): string {
  return `Give a verifier key of the log, as \`vouchsafe log key\` prints it, or a file that holds one, and not ${keyOrFile}`;
}
