import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { syncDirectory } from "../create-once.ts";
import { VouchsafeError } from "../errors.ts";
import { readKeys, readOrCreateKeys } from "../key-file.ts";
import { writePrivateKey } from "../private-key.ts";
import { writePem } from "../x509/pem.ts";
import { type Authority, readAuthority } from "./authority.ts";
import { writeRootCertificate } from "./root-certificate.ts";
import type { TrustDomain } from "./spiffe-id.ts";
import { serialFrom } from "./x509-svid.ts";

/** Paths of PEM files made elsewhere. They may be the same file. */
export interface AuthorityFiles {
  /** The issuing certificate, then its issuers up to the self-signed root. */
  readonly certificates: string;
  readonly key: string;
  readonly jwtKey: string;
}

/** The authorities whose keys a node has, oldest first. */
export interface AuthorityKeys {
  /** Whether `make` makes more. */
  readonly makes: boolean;
  /** Reads them all anew. Throws `configuration-invalid` for files that do not hold an authority of the trust domain. */
  read(): Promise<readonly Authority[]>;
  /** Makes another one, on the disk when it resolves. Of two processes that do so at once both get the one. */
  make(now: number): Promise<void>;
  /** Removes the keys of this one. */
  forget(authority: Authority): Promise<void>;
}

interface Opening {
  readonly trustDomain: TrustDomain;
  readonly passphrase: string | undefined;
}

interface Making {
  /** Of a root, in milliseconds. */
  readonly life: number;
  /** Of the key for JWT-SVIDs; ES256 if absent. */
  readonly jwtAlgorithm?: "ES256" | "RS256";
}

/** Keys that are made and kept elsewhere: read, and never written. */
export function givenAuthorityKeys(files: readonly AuthorityFiles[], opening: Opening): AuthorityKeys {
  const { trustDomain, passphrase } = opening;
  return {
    makes: false,
    read: () =>
      Promise.all(
        files.map(async ({ certificates, key, jwtKey }) => {
          const [chain = "", caKey = "", jwt = ""] = await Promise.all(
            [certificates, key, jwtKey].map(readPem),
          );
          return readAuthority({ certificates: chain, key: caKey, jwtKey: jwt, passphrase }, trustDomain);
        }),
      ),
    make: async () => {},
    forget: async () => {},
  };
}

const NAME = /^authority-([1-9][0-9]{0,5})\.pem$/;
/** What an earlier version made: its keys in two files. */
const EARLIER = ["x509-authority.pem", "jwt-authority.pem"] as const;

/**
 * Keys that a node makes for itself in its data directory: a self-signed root and a key for JWT-SVIDs together in one
 * file (mode 0600), so that neither is ever there without the other. The files are numbered.
 */
export function ownAuthorityKeys(
  dataDir: string,
  { trustDomain, passphrase, ...making }: Opening & Making,
): AuthorityKeys {
  const files = new Map<Authority["id"], readonly string[]>();
  const pathOf = (name: string) => join(dataDir, name);

  async function numbers(): Promise<number[]> {
    const names = await readdir(dataDir).catch(() => []);
    return names
      .flatMap((name) => NAME.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  }
  /** None where a file is missing: another process has forgotten it, or a crash kept it from being made. */
  async function readFrom(names: readonly [string] | typeof EARLIER): Promise<Authority[]> {
    const [x509, jwtKey] = await Promise.all(
      [names[0], names[1] ?? names[0]].map((name) => readKeys(pathOf(name), passphrase)),
    );
    if (x509 === undefined || jwtKey === undefined) return [];
    const authority = readAuthority({ certificates: x509, key: x509, jwtKey, passphrase }, trustDomain);
    files.set(authority.id, names);
    return [authority];
  }

  return {
    makes: true,
    async read() {
      const names = (await numbers()).map((number) => [nameOf(number)] as const);
      const read: Authority[] = [];
      for (const each of [EARLIER, ...names]) read.push(...(await readFrom(each)));
      return read;
    },
    async make(now) {
      const number = ((await numbers()).at(-1) ?? 0) + 1;
      const path = pathOf(nameOf(number));
      await readOrCreateKeys(path, () => makeAuthority(trustDomain, now, making), passphrase);
    },
    async forget({ id }) {
      for (const name of files.get(id) ?? []) await rm(pathOf(name), { force: true });
      await syncDirectory(dataDir);
    },
  };
}

function nameOf(number: number): string {
  return `authority-${number}.pem`;
}

/** Of an RSA key, in bits. */
const MODULUS = 3072;

function makeAuthority(trustDomain: TrustDomain, now: number, { life, jwtAlgorithm }: Making): string {
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const jwtKey =
    jwtAlgorithm === "RS256"
      ? generateKeyPairSync("rsa", { modulusLength: MODULUS }).privateKey
      : generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const root = writeRootCertificate({ trustDomain, key, serial: serialFrom(randomBytes(16)), now, life });
  return writePem("CERTIFICATE", root) + writePrivateKey(key) + writePrivateKey(jwtKey);
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new VouchsafeError("configuration-invalid", `${path} cannot be read`, { cause });
  }
}
