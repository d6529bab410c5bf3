import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writePrivateKey } from "../../src/private-key.ts";
import { writePem } from "../../src/x509/pem.ts";
import { testAuthority } from "../identity/trust-domain.ts";

/** Writes a new authority of `vouchsafe.local` into a directory, and says how nodes are given it. */
export async function writeAuthorityFiles(directory: string): Promise<Record<string, string>> {
  const { root, keys } = testAuthority("vouchsafe.local", Date.now());
  await mkdir(directory, { recursive: true });
  const [x509, jwt] = ["x509-authority.pem", "jwt-authority.pem"].map((name) => join(directory, name));
  if (x509 === undefined || jwt === undefined) throw new TypeError("two paths");
  await writeFile(x509, writePem("CERTIFICATE", root.der) + writePrivateKey(keys.ca));
  await writeFile(jwt, writePrivateKey(keys.jwt));
  return { VOUCHSAFE_CA_CERT: x509, VOUCHSAFE_CA_KEY: x509, VOUCHSAFE_JWT_KEY: jwt };
}
