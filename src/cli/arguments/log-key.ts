import { UsageError } from "../usage-error.ts";
import { readBytes } from "./files.ts";

/** For who holds a checkpoint to a key that did not sign it: keys are replaced, and older ones lead to newer ones. */
export const KEY_REPLACED =
  "  was the log's key replaced? `vouchsafe log key --trusted KEY` leads from an older one to those that sign now";

/** Verifier keys, `name+hash+base64` (C2SP signed-note), one a line: as they are, or in a file. */
export async function readLogKey(keyOrFile: string): Promise<string> {
  const isKey = (line: string) => /^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/.test(line);
  if (keyOrFile.trim().split(/\r?\n/).every(isKey)) return keyOrFile;
  const bytes = await readBytes(keyOrFile).catch((cause: unknown) => {
    const message = `Give a verifier key of the log, as \`vouchsafe log key\` prints it, or a file that holds one, and not ${keyOrFile}`;
    throw new UsageError(message, { cause });
  });
  return new TextDecoder().decode(bytes).trim();
}
