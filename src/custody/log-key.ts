import { createPrivateKey, generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { VouchsafeError } from "../errors.ts";
import { ed25519Signer, isKeyName, type NoteSigner } from "../tlog/note.ts";

/**
 * The Ed25519 key that signs the log's checkpoints, from a PKCS #8 PEM file; made there (mode 0600) when there
 * is none. Nodes that share a database share this file, or copies of it.
 *
 * Throws `configuration-invalid` for a file that holds no such key, and for an origin that cannot be a key name.
 */
export async function loadLogKey(path: string, origin: string): Promise<NoteSigner> {
  if (!isKeyName(origin)) {
    throw new VouchsafeError("configuration-invalid", "The log's origin has neither spaces nor plus signs");
  }
  const pem = (await readIfThere(path)) ?? (await createKey(path));
  return ed25519Signer(origin, parseKey(pem, path));
}

function parseKey(pem: string, path: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(pem);
  } catch {
    // The parser's error may quote the file, so it is no cause to pass on.
  }
  if (key?.asymmetricKeyType !== "ed25519") {
    throw new VouchsafeError("configuration-invalid", `${path} holds no Ed25519 private key in PKCS #8 PEM`);
  }
  return key;
}

/**
 * Writes the key under a name of its own and links it into place when it is safe on the disk: the file is never
 * there in part, and of two processes that start at once one key remains.
 */
async function createKey(path: string): Promise<string> {
  const pem = generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" });
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(pem);
    await file.sync();
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
  await syncDirectory(dirname(path));
  return readFile(path, "utf8");
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  await directory.sync().finally(() => directory.close());
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new VouchsafeError("configuration-invalid", `${path} cannot be read`, { cause });
  }
}
