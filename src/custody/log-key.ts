import type { KeyObject } from "node:crypto";
import { readOrCreate } from "../create-once.ts";
import { VouchsafeError } from "../errors.ts";
import { makeEd25519Key, readPrivateKey } from "../private-key.ts";
import { ed25519Signer, type NoteSigner } from "../tlog/note.ts";
import { isKeyName } from "../tlog/verifier-key.ts";

/**
 * An Ed25519 key that signs the log's checkpoints, from a PKCS #8 PEM file; made there (mode 0600) when there
 * is none. Nodes that share a database share this file, or copies of it.
 *
 * Throws `configuration-invalid` for a file that holds no such key, and for an origin that cannot be a key name.
 */
export async function loadLogKey(path: string, origin: string): Promise<NoteSigner> {
  if (!isKeyName(origin)) {
    throw new VouchsafeError("configuration-invalid", "The log's origin has neither spaces nor plus signs");
  }
  return ed25519Signer(origin, parseKey(await readOrCreate(path, makeEd25519Key), path));
}

function parseKey(pem: string, path: string): KeyObject {
  const key = readPrivateKey(pem);
  if (key?.asymmetricKeyType !== "ed25519") {
    throw new VouchsafeError("configuration-invalid", `${path} holds no Ed25519 private key in PKCS #8 PEM`);
  }
  return key;
}
