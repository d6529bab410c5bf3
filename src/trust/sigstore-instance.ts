import { createPublicKey, hash, type KeyObject } from "node:crypto";
import type { JsonObject, JsonValue } from "../in-toto-attestation/index.ts";
import { type PublicKeyKind, publicKeyKindOf, readPublicKey } from "../x509/public-keys.ts";
import { type AuthorityUse, type CertificateAuthority, MAX_CHAIN, parseAuthority } from "./authority.ts";
import {
  addressOf,
  arrayAt,
  bytesAt,
  invalid,
  objectAt,
  openTimeRangeAt,
  stringAt,
  thresholdAt,
  timeRangeAt,
} from "./members.ts";
import { ALWAYS, type TimeRange } from "./time-range.ts";
import { type PreparedTufSource, parseTufSource } from "./tuf-source.ts";

/** A transparency log or certificate-transparency log. */
export interface LogAuthority {
  /** Key id as entries name it, lower-case hex. */
  readonly logId: string;
  readonly publicKey: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** Its address without the scheme: what its checkpoints' origin begins with. */
  readonly origin?: string;
  /** How its checkpoints name the key, where that is not the log id. */
  readonly checkpointKeyId?: Uint8Array;
  /**
   * Who runs it, else the sha256 of its SubjectPublicKeyInfo in hex: thresholds count what has one operator once
   * (sigstore_trustroot.proto), and one key under two ids too.
   */
  readonly operator: string;
  readonly validFor: TimeRange;
}

/** How much evidence a certificate's signature needs under this instance. */
export interface Thresholds {
  readonly logEntries: number;
  readonly scts: number;
  readonly timestamps: number;
}

/** One Sigstore deployment whose word is taken, read from its trusted root. */
export interface SigstoreInstance {
  readonly name: string;
  readonly trustedRoot: JsonObject;
  readonly certificateAuthorities: readonly CertificateAuthority[];
  readonly timestampAuthorities: readonly CertificateAuthority[];
  readonly logs: readonly LogAuthority[];
  readonly ctLogs: readonly LogAuthority[];
  readonly thresholds: Thresholds;
  readonly tuf?: PreparedTufSource;
}

const MEDIA_TYPES: ReadonlySet<string> = new Set([
  "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
  "application/vnd.dev.sigstore.trustedroot.v0.1+json",
  "application/vnd.dev.sigstore.trustedroot.v0.2+json",
]);

/** protobuf-specs PublicKeyDetails of log keys → the kind of key, and its encoding: "PKIX" is SubjectPublicKeyInfo. */
const KEY_DETAILS: ReadonlyMap<string, readonly [PublicKeyKind, "spki" | "pkcs1"]> = new Map([
  ["PKIX_ECDSA_P256_SHA_256", ["p256", "spki"]],
  ["PKIX_ECDSA_P384_SHA_384", ["p384", "spki"]],
  ["PKIX_ECDSA_P521_SHA_512", ["p521", "spki"]],
  ["PKIX_ED25519", ["ed25519", "spki"]],
  ["PKCS1_RSA_PKCS1V5", ["rsa", "pkcs1"]],
  ["PKIX_RSA_PKCS1V5", ["rsa", "spki"]],
  ["PKIX_RSA_PKCS1V15_2048_SHA256", ["rsa", "spki"]],
  ["PKIX_RSA_PKCS1V15_3072_SHA256", ["rsa", "spki"]],
  ["PKIX_RSA_PKCS1V15_4096_SHA256", ["rsa", "spki"]],
]);

const MAX_AUTHORITIES = 64;

/**
 * Reads a Sigstore `trusted_root.json` (sigstore/protobuf-specs sigstore_trustroot.proto) strictly: unknown
 * members, unknown key types, unreadable keys or certificates and log keys' ranges without their start are refused.
 *
 * Throws `VouchsafeError` (`invalid-trust`).
 */
export function parseInstance(value: JsonValue, where: string): SigstoreInstance {
  const item = objectAt(value, where, ["name", "trustedRoot", "thresholds", "tuf"]);
  const at = `${where}.trustedRoot`;
  const root = objectAt(item.trustedRoot, at, [
    "mediaType",
    "tlogs",
    "certificateAuthorities",
    "ctlogs",
    "timestampAuthorities",
  ]);
  if (!MEDIA_TYPES.has(stringAt(root.mediaType, `${at}.mediaType`)))
    throw invalid(`${at}.mediaType is not known`);
  const logs = arrayAt(root.tlogs, `${at}.tlogs`, MAX_AUTHORITIES).map((log, i) =>
    parseLog(log, `${at}.tlogs[${i}]`),
  );
  const ctLogs = arrayAt(root.ctlogs, `${at}.ctlogs`, MAX_AUTHORITIES).map((log, i) =>
    parseLog(log, `${at}.ctlogs[${i}]`),
  );
  return {
    name: stringAt(item.name, `${where}.name`),
    trustedRoot: root,
    certificateAuthorities: parseAuthorities(
      root.certificateAuthorities,
      "attestations",
      `${at}.certificateAuthorities`,
    ),
    timestampAuthorities: parseAuthorities(
      root.timestampAuthorities,
      "timestamps",
      `${at}.timestampAuthorities`,
    ),
    logs,
    ctLogs,
    thresholds: parseThresholds(item.thresholds, `${where}.thresholds`, logs.length > 0, ctLogs.length > 0),
    ...(item.tuf !== undefined && { tuf: parseTufSource(item.tuf, `${where}.tuf`) }),
  };
}

/** An instance that runs a log asks for its entries; a document can raise what is asked and never lower it. */
function parseThresholds(
  value: JsonValue | undefined,
  where: string,
  logs: boolean,
  ctLogs: boolean,
): Thresholds {
  const asked = objectAt(value ?? {}, where, ["logEntries", "scts", "timestamps"]);
  return {
    logEntries: thresholdAt(asked.logEntries, `${where}.logEntries`, logs ? 1 : 0),
    scts: thresholdAt(asked.scts, `${where}.scts`, ctLogs ? 1 : 0),
    timestamps: thresholdAt(asked.timestamps, `${where}.timestamps`, 1),
  };
}

function parseLog(value: JsonValue, where: string): LogAuthority {
  const log = objectAt(value, where, [
    "baseUrl",
    "hashAlgorithm",
    "publicKey",
    "logId",
    "checkpointKeyId",
    "operator",
  ]);
  if (log.hashAlgorithm !== "SHA2_256") throw invalid(`${where}.hashAlgorithm is not SHA2_256`);
  const at = `${where}.publicKey`;
  const key = objectAt(log.publicKey, at, ["rawBytes", "keyDetails", "validFor"]);
  const [kind, encoding] = KEY_DETAILS.get(stringAt(key.keyDetails, `${at}.keyDetails`)) ?? [];
  if (encoding === undefined) throw invalid(`${at}.keyDetails is not a supported algorithm`);
  const { spki, publicKey } = parseLogKey(bytesAt(key.rawBytes, `${at}.rawBytes`), encoding, at);
  if (publicKeyKindOf(spki) !== kind) throw invalid(`${at}.keyDetails is of another kind of key`);
  const origin = isAbsent(log.baseUrl) ? undefined : originAt(log.baseUrl, `${where}.baseUrl`);
  const checkpointKeyId = isAbsent(log.checkpointKeyId)
    ? undefined
    : keyIdAt(log.checkpointKeyId, `${where}.checkpointKeyId`);
  const logId = Buffer.from(keyIdAt(log.logId, `${where}.logId`)).toString("hex");
  return {
    logId,
    publicKey,
    spki,
    ...(origin !== undefined && { origin }),
    ...(checkpointKeyId !== undefined && { checkpointKeyId }),
    operator: isAbsent(log.operator)
      ? hash("sha256", spki, "hex")
      : stringAt(log.operator, `${where}.operator`),
    // PublicKey.valid_for is optional as a whole (sigstore_common.proto); a range that is there has a start.
    validFor: key.validFor === undefined ? ALWAYS : timeRangeAt(key.validFor, `${at}.validFor`),
  };
}

/** protobuf's JSON writes an absent message or string as nothing, null or, for a string, "". */
function isAbsent(value: JsonValue | undefined): value is undefined | null | "" {
  return value === undefined || value === null || value === "";
}

function keyIdAt(value: JsonValue | undefined, where: string): Uint8Array {
  return bytesAt(objectAt(value, where, ["keyId"]).keyId, `${where}.keyId`);
}

/** Its address without scheme and without a slash at the end. */
function originAt(value: JsonValue | undefined, where: string): string {
  const { host, pathname, search, hash } = addressOf(stringAt(value, where)) ?? {};
  if (!host || search || hash) throw invalid(`${where} is not the address of a log`);
  return `${host}${pathname?.replace(/\/+$/, "")}`;
}

function parseLogKey(
  der: Uint8Array,
  encoding: "spki" | "pkcs1",
  where: string,
): { spki: Uint8Array; publicKey: KeyObject } {
  try {
    const spki = encoding === "spki" ? der : spkiOfPkcs1(der);
    return { spki, publicKey: readPublicKey(spki) };
  } catch (cause) {
    throw invalid(`${where} is not a public key that is taken`, cause);
  }
}

function spkiOfPkcs1(der: Uint8Array): Uint8Array {
  const key = createPublicKey({ key: Buffer.from(der), format: "der", type: "pkcs1" });
  return key.export({ format: "der", type: "spki" });
}

function parseAuthorities(
  value: JsonValue | undefined,
  use: AuthorityUse,
  where: string,
): CertificateAuthority[] {
  return arrayAt(value, where, MAX_AUTHORITIES).map((item, i) => {
    const at = `${where}[${i}]`;
    const authority = objectAt(item, at, ["subject", "uri", "certChain", "validFor", "operator"]);
    const { certificates } = objectAt(authority.certChain, `${at}.certChain`, ["certificates"]);
    const chain = arrayAt(certificates, `${at}.certChain.certificates`, MAX_CHAIN).map((certificate, j) => {
      const place = `${at}.certChain.certificates[${j}]`;
      return bytesAt(objectAt(certificate, place, ["rawBytes"]).rawBytes, place);
    });
    // Other than a bare log key, a chain is bounded by its certificates' own dates: the start may be absent.
    const range = openTimeRangeAt(authority.validFor, `${at}.validFor`);
    const operator = isAbsent(authority.operator)
      ? undefined
      : stringAt(authority.operator, `${at}.operator`);
    return {
      ...parseAuthority(chain, use, range, `${at}.certChain.certificates`),
      ...(operator !== undefined && { operator }),
    };
  });
}
