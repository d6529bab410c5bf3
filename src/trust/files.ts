import { createReadStream } from "node:fs";
import { basename } from "node:path";
import type { JsonObject } from "../in-toto-attestation/index.ts";
import { readBounded } from "../read-bounded.ts";
import { pemBlocks } from "../x509/pem.ts";
import type { AuthorityUse } from "./authority.ts";
import { addressOf, invalid } from "./members.ts";
import { readNpmKeys } from "./npm-keys.ts";
import type { InstanceDocument, TrustDocument } from "./snapshot.ts";
import { parseTrustedRoot } from "./trusted-root-file.ts";

const MAX_BYTES = 16 * 1024 * 1024;

export interface FileOptions {
  /** What what is in the file is called. Default: the file's name without the extension. */
  readonly name?: string;
  /** What certificates may sign. Default: attestations. */
  readonly uses?: readonly AuthorityUse[];
  /** The only predicate types that a key counts for. Default: any. */
  readonly predicateTypes?: readonly string[];
}

/**
 * Reads one file into the part of a trust document that it is: a Sigstore `trusted_root.json`, several of them a
 * line each (as `gh attestation trusted-root` prints them), an npm registry's `keys.json`, an SPKI PEM key or PEM
 * certificates.
 *
 * Throws `VouchsafeError` (`invalid-trust`) for a file that cannot be read or is none of these.
 */
export async function readTrustFile(path: string, options: FileOptions = {}): Promise<TrustDocument> {
  const bytes = await readBounded(createReadStream(path), MAX_BYTES).catch((cause: unknown) => {
    throw invalid(`${path} cannot be read`, cause);
  });
  if (bytes === undefined) throw invalid(`${path} has more than ${MAX_BYTES} bytes: no roots or keys do`);
  const name = options.name ?? basename(path).replace(/\.(?:jsonl?|pem|pub|crt)$/, "");
  if (bytes.includes("-----BEGIN ") && bytes[0] !== 0x7b)
    return pemPart(bytes.toString(), name, options, path);
  if (!/^\s*[[{]/.test(bytes.toString("latin1")))
    throw invalid(
      `${path} is neither PEM nor JSON: a key or certificates are taken in PEM, and roots as the trusted_root.json that their instance publishes`,
    );
  return jsonPart(bytes, name, path);
}

function pemPart(
  text: string,
  name: string,
  { uses = ["attestations"], predicateTypes }: FileOptions,
  path: string,
): TrustDocument {
  switch (pemBlocks(text)?.[0]?.label) {
    case "PUBLIC KEY":
      return { sigstore: [], keys: [{ name, publicKey: text, ...(predicateTypes && { predicateTypes }) }] };
    case "CERTIFICATE":
      return { sigstore: [], keys: [], x509: [{ name, certificates: text, uses }] };
    default:
      throw invalid(`${path} holds neither a public key nor certificates in PEM`);
  }
}

function jsonPart(bytes: Buffer, name: string, path: string): TrustDocument {
  const lines = trustedRootLines(bytes, path);
  if (lines === undefined) {
    const file = parseTrustedRoot(bytes, path);
    if (file.mediaType === undefined && file.keys !== undefined) {
      return { sigstore: [], keys: readNpmKeys(file, path) };
    }
    return { sigstore: [{ name, trustedRoot: file }], keys: [] };
  }
  return { sigstore: lines.map((trustedRoot, i) => instanceOf(trustedRoot, `${name}-${i + 1}`)), keys: [] };
}

/** Undefined unless there are several lines that are each a JSON document. */
function trustedRootLines(bytes: Buffer, path: string): JsonObject[] | undefined {
  const lines = bytes
    .toString()
    .split("\n")
    .filter((line) => line.trim() !== "");
  if (lines.length < 2 || !lines.every((line) => /^\{.*\}\s*$/.test(line))) return undefined;
  return lines.map((line, i) => parseTrustedRoot(Buffer.from(line), `${path}: line ${i + 1}`));
}

/** Of several in one file each is named by the host that issues its certificates, so that it keeps its name. */
function instanceOf(trustedRoot: JsonObject, fallback: string): InstanceDocument {
  const { certificateAuthorities: authorities } = trustedRoot;
  const last = Array.isArray(authorities) ? authorities.at(-1) : undefined;
  const uri = typeof last === "object" && last !== null && "uri" in last ? last.uri : undefined;
  const host = typeof uri === "string" ? addressOf(uri)?.host : undefined;
  return { name: host || fallback, trustedRoot };
}

/**
 * The document with these parts added. A part takes the place of the one that has its name, and asks for at least
 * the evidence that was asked for there.
 *
 * Throws `VouchsafeError` (`invalid-trust`) where two of the parts have one name: neither is meant to be lost.
 */
export function addToTrust(document: TrustDocument, parts: readonly TrustDocument[]): TrustDocument {
  const x509 = merged(
    document.x509 ?? [],
    parts.flatMap((part) => part.x509 ?? []),
  );
  return {
    sigstore: merged(
      document.sigstore,
      parts.flatMap(({ sigstore }) => sigstore),
    ),
    keys: merged(
      document.keys,
      parts.flatMap(({ keys }) => keys),
    ),
    ...(x509.length > 0 && { x509 }),
  };
}

interface Part {
  readonly name: string;
  readonly thresholds?: object;
}

function merged<T extends Part>(before: readonly T[], added: readonly T[]): T[] {
  const byName = new Map(added.map((part) => [part.name, part]));
  if (byName.size < added.length) throw invalid("two of the parts have the same name");
  const kept = before.map((old) => {
    const part = byName.get(old.name);
    if (part === undefined) return old;
    return { ...(old.thresholds && { thresholds: old.thresholds }), ...part };
  });
  return [...kept, ...added.filter(({ name }) => !before.some((old) => old.name === name))];
}
