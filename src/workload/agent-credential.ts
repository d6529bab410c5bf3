import { createPrivateKey, type KeyObject } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { VouchsafeError } from "../errors.ts";
import type { AgentCredential } from "../identity/agent-proof.ts";
import { parseX509Svid } from "../identity/x509-validation.ts";
import { pemBlocks, writePem } from "../x509/pem.ts";
import { isKeyOf } from "../x509/public-keys.ts";

/** The agent's own SVID and key: all that it keeps on the disk. */
export interface KeptCredential extends AgentCredential {
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

const PRIVATE_KEY = "PRIVATE KEY";
const CERTIFICATE = "CERTIFICATE";
/** Of a file that is not there. */
const ABSENT: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"]);

/** Throws `VouchsafeError` (`invalid-svid`, or `configuration-invalid` for a key that is not the certificate's). */
export function credentialOf(chain: readonly Uint8Array[], key: KeyObject): KeptCredential {
  const { spiffeId, leaf } = parseX509Svid(chain);
  if (!isKeyOf(key, leaf.spki)) {
    throw new VouchsafeError("configuration-invalid", "the agent's key is not its certificate's");
  }
  return { spiffeId, chain, key, issuedAt: leaf.notBefore, expiresAt: leaf.notAfter };
}

/** A private key, before or behind its certificates. Undefined when there is none. Throws `VouchsafeError` (`configuration-invalid`) for one that cannot be used. */
export async function readCredential(path: string): Promise<KeptCredential | undefined> {
  const text = await readFile(path, "utf8").catch((cause) => {
    if (ABSENT.has(cause.code)) return undefined;
    throw new VouchsafeError("configuration-invalid", `${path} cannot be read: ${cause.message}`, { cause });
  });
  if (text === undefined) return undefined;
  try {
    const blocks = pemBlocks(text) ?? [];
    const [key, ...otherKeys] = blocks.filter(({ label }) => label === PRIVATE_KEY);
    const certificates = blocks.filter(({ label }) => label === CERTIFICATE);
    if (key === undefined || otherKeys.length > 0 || certificates.length + 1 < blocks.length) {
      throw new VouchsafeError(
        "configuration-invalid",
        "it is not a private key and its certificates, in PEM",
      );
    }
    const privateKey = createPrivateKey({ key: Buffer.from(key.bytes), format: "der", type: "pkcs8" });
    return credentialOf(
      certificates.map(({ bytes }) => bytes),
      privateKey,
    );
  } catch (cause) {
    const what = `${path} holds no credential of an agent: remove it, and join with a new token`;
    throw new VouchsafeError("configuration-invalid", what, { cause });
  }
}

/**
 * Finds out whether a credential could be written, before a join token is used up for one. Throws `VouchsafeError`
 * (`configuration-invalid`).
 */
export async function requireWritable(path: string): Promise<void> {
  try {
    await rm(await writeDraft(path, "\n"));
  } catch (cause) {
    const what = `The agent's credential cannot be kept as ${path}: ${(cause as Error).message}`;
    throw new VouchsafeError("configuration-invalid", what, { cause });
  }
}

/** Takes the place of the one before in one step: a crash leaves the old one or the new one. Mode 0600. */
export async function writeCredential(path: string, { key, chain }: AgentCredential): Promise<void> {
  const text = [
    writePem(PRIVATE_KEY, key.export({ format: "der", type: "pkcs8" })),
    ...chain.map((der) => writePem(CERTIFICATE, der)),
  ].join("");
  await rename(await writeDraft(path, text), path);
}

/** Under the one name that drafts have, so that what a crash left is gone with the next. */
async function writeDraft(path: string, text: string): Promise<string> {
  const draft = `${path}.draft`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await rm(draft, { force: true });
  await writeFile(draft, text, { flag: "wx", mode: 0o600, flush: true });
  return draft;
}
