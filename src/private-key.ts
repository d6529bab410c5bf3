import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";

// Private keys as the files of the data directory hold them: PKCS #8 PEM.

/** A new Ed25519 key. */
export function makeEd25519Key(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" }).toString();
}

/** Undefined for a text that holds no private key. */
export function readPrivateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    // The parser's error may quote the file, so it is no cause to pass on.
    return undefined;
  }
}
