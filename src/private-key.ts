import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";

// Private keys as files hold them: PKCS #8 PEM, encrypted (PBES2, RFC 8018 §6.2) where there is a passphrase.

/** A new Ed25519 key. */
export function makeEd25519Key(): string {
  return writePrivateKey(generateKeyPairSync("ed25519").privateKey);
}

export function writePrivateKey(key: KeyObject, passphrase?: string): string {
  const encryption = passphrase === undefined ? {} : { cipher: "aes-256-cbc", passphrase };
  return key.export({ format: "pem", type: "pkcs8", ...encryption }).toString();
}

/** Undefined for a text that holds no private key, or none that this passphrase opens. */
export function readPrivateKey(pem: string, passphrase?: string): KeyObject | undefined {
  try {
    // Without any, OpenSSL would ask for one at the terminal.
    return createPrivateKey({ key: pem, passphrase: passphrase ?? "" });
  } catch {
    // The parser's error may quote the file, so it is no cause to pass on.
    return undefined;
  }
}

const PLAIN = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\r?\n?/g;

/** The text with each of its keys encrypted that is not; undefined when there is none. */
export function withEncryptedKeys(pem: string, passphrase: string): string | undefined {
  const encrypted = pem.replaceAll(PLAIN, (block) => {
    const key = readPrivateKey(block);
    return key === undefined ? block : writePrivateKey(key, passphrase);
  });
  return encrypted === pem ? undefined : encrypted;
}
