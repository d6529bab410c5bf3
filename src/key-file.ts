import { readFile } from "node:fs/promises";
import { readIfThere, readOrCreate } from "./create-once.ts";
import { VouchsafeError } from "./errors.ts";
import { withEncryptedKeys } from "./private-key.ts";
import { replaceFile } from "./replace-file.ts";

/** Shorter ones are guessed: the derivation of keys in PKCS #8 files is quick. */
const MIN_PASSPHRASE = 16;

/**
 * The text of a file with private keys that this program made; undefined where there is none. With a passphrase, keys
 * that are found plain are encrypted on the disk.
 *
 * Throws `configuration-invalid` for a file that cannot be read.
 */
export async function readKeys(path: string, passphrase: string | undefined): Promise<string | undefined> {
  const pem = (await readIfThere(path))?.toString();
  const encrypted = pem && passphrase && withEncryptedKeys(pem, passphrase);
  if (!encrypted) return pem;
  await replaceFile(path, encrypted);
  return encrypted;
}

/** Likewise; made (mode 0600) where there is none, encrypted from the start. */
export async function readOrCreateKeys(
  path: string,
  make: () => string,
  passphrase: string | undefined,
): Promise<string> {
  const made = () => {
    const pem = make();
    return (passphrase && withEncryptedKeys(pem, passphrase)) || pem;
  };
  return (await readKeys(path, passphrase)) ?? readOrCreate(path, made);
}

/**
 * The passphrase in a file, without the line's end.
 *
 * Throws `configuration-invalid` for one that cannot be read or is too short.
 */
export async function readPassphrase(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const passphrase = (await readSecret(path)).replace(/\r?\n$/, "");
  if (passphrase.length < MIN_PASSPHRASE || /[\r\n\0]/.test(passphrase)) {
    throw new VouchsafeError(
      "configuration-invalid",
      `${path} must hold one line of at least ${MIN_PASSPHRASE} characters, the passphrase of the keys`,
    );
  }
  return passphrase;
}

async function readSecret(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new VouchsafeError("configuration-invalid", `${path} cannot be read`, { cause });
  }
}
