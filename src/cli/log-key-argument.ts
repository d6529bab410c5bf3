import { readBytes } from "./files.ts";
import { UsageError } from "./usage-error.ts";

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
