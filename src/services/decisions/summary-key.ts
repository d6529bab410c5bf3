import { createPublicKey, hash, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { VouchsafeError } from "../../errors.ts";
import { readOrCreateKeys } from "../../key-file.ts";
import { makeEd25519Key, readPrivateKey } from "../../private-key.ts";

/** What verification summaries are signed with. */
export interface SummaryKey {
  /** Lower-case hex of the sha256 of the public key's SubjectPublicKeyInfo. */
  readonly keyId: string;
  /** SubjectPublicKeyInfo, PEM. */
  readonly publicKey: string;
  /** ECDSA signatures are DER. */
  sign(bytes: Uint8Array): Uint8Array;
}

/** Type of key and its curve → the hash that it signs with; Ed25519 has its own. */
const HASHES: ReadonlyMap<string, "sha256" | "sha384" | null> = new Map([
  ["ed25519", null],
  ["ec prime256v1", "sha256"],
  ["ec secp384r1", "sha384"],
]);

/**
 * The key from a PKCS #8 PEM file; without one named, an Ed25519 key in the data directory, made there (mode 0600) when
 * there is none. A file that is named must be there: another key in its place would be nobody's that relying
 * parties trust. Nodes that share a database share this file, or copies of it.
 *
 * Throws `configuration-invalid` for a file that holds no such key.
 */
export async function openSummaryKey(
  dataDir: string,
  file: string | undefined,
  passphrase?: string,
): Promise<SummaryKey> {
  const path = file ?? join(dataDir, "vsa-key.pem");
  const pem =
    file === undefined ? await readOrCreateKeys(path, makeEd25519Key, passphrase) : await readGiven(file);
  const key = readPrivateKey(pem, passphrase);
  const { asymmetricKeyType, asymmetricKeyDetails } = key ?? {};
  const algorithm = HASHES.get(
    [asymmetricKeyType, asymmetricKeyDetails?.namedCurve].filter(Boolean).join(" "),
  );
  if (key === undefined || algorithm === undefined) {
    throw new VouchsafeError(
      "configuration-invalid",
      `${path} holds no private key in PKCS #8 PEM that is Ed25519 or on P-256 or P-384, or none that the passphrase opens`,
    );
  }
  const publicKey = createPublicKey(key);
  return {
    keyId: hash("sha256", publicKey.export({ format: "der", type: "spki" }), "hex"),
    publicKey: publicKey.export({ format: "pem", type: "spki" }).toString(),
    sign: (bytes) => sign(algorithm, bytes, key),
  };
}

async function readGiven(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new VouchsafeError("configuration-invalid", `${path} cannot be read`, { cause });
  }
}
