import type { KeyObject } from "node:crypto";
import { VouchsafeError } from "../../errors.ts";
import { readOrCreateKeys } from "../../key-file.ts";
import { makeEd25519Key, readPrivateKey } from "../../private-key.ts";
import { ed25519Signer, type NoteSigner } from "../../tlog/note.ts";
import { isKeyName } from "../../tlog/verifier-key.ts";

/**
 * An Ed25519 key that signs the log's checkpoints, from a PKCS #8 PEM file; made there (mode 0600) when there
 * is none; encrypted there where there is a passphrase. Nodes that share a database share this file, or copies of it.
 *
 * Throws `configuration-invalid` for a file that holds no such key, and for an origin that cannot be a key name.
 */
export async function loadLogKey(path: string, origin: string, passphrase?: string): Promise<NoteSigner> {
  if (!isKeyName(origin)) {
    throw new VouchsafeError("configuration-invalid", "The log's origin has neither spaces nor plus signs");
  }
  const pem = await readOrCreateKeys(path, makeEd25519Key, passphrase);
  return ed25519Signer(origin, requireKey(readPrivateKey(pem, passphrase), path));
}

function requireKey(key: KeyObject | undefined, path: string): KeyObject {
  if (key?.asymmetricKeyType !== "ed25519") {
    throw new VouchsafeError(
      "configuration-invalid",
      `${path} holds no Ed25519 private key in PKCS #8 PEM, or none that the passphrase opens`,
    );
  }
  return key;
}
