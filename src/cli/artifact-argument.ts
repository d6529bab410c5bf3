import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { UsageError } from "./usage-error.ts";

const LOOKS_LIKE_A_DIGEST = /^[a-z0-9_]+:[0-9a-f]+$/;

/** An artifact as named on the command line: a digest as it is, or the sha256 of a file. */
export async function digestOfArgument(argument: string): Promise<string> {
  return LOOKS_LIKE_A_DIGEST.test(argument) ? argument : digestOfFile(argument);
}

async function digestOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(path), hash);
  } catch (cause) {
    const message = `${path} is neither a digest, such as sha256:9f86…, nor a file that can be read`;
    throw new UsageError(message, { cause });
  }
  return `sha256:${hash.digest("hex")}`;
}
