import { readBytes } from "./files.ts";
import { UsageError } from "./usage-error.ts";

/** `name+hash+base64` as it is (C2SP signed-note), or a file that holds it, or several, one a line. */
export async function readLogKey(keyOrFile: string): Promise<string> {
  if (/^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/.test(keyOrFile)) return keyOrFile;
  const bytes = await readBytes(keyOrFile).catch((cause: unknown) => {
    const message = `--log-key takes a verifier key, as \`vouchsafe log key\` prints it, or a file that holds one, and not ${keyOrFile}`;
    throw new UsageError(message, { cause });
  });
  return new TextDecoder().decode(bytes).trim();
}
