import {
  canonicalJson,
  type JsonObject,
  type JsonValue,
  parseJson,
  sha256,
} from "../in-toto-attestation/index.ts";
import { arrayAt, invalid, objectAt } from "./members.ts";
import { parseInstance, type SigstoreInstance, type Thresholds } from "./sigstore-instance.ts";
import { type PreparedKey, parseTrustedKey, type TrustedKey } from "./trusted-key.ts";
import type { TufSource } from "./tuf-source.ts";
import { type PreparedX509Root, parseX509Root, type X509Root } from "./x509-root.ts";

/** Whose signatures are believed: what an operator activates and what a verdict names by its hash. */
export interface TrustDocument {
  readonly sigstore: readonly {
    readonly name: string;
    /** A Sigstore `trusted_root.json`. */
    readonly trustedRoot: JsonObject;
    /** More than the instance asks for by itself; absent members keep its own. */
    readonly thresholds?: Partial<Thresholds>;
    /** Where newer ones come from; absent for an instance that operators alone change. */
    readonly tuf?: TufSource;
  }[];
  readonly keys: readonly TrustedKey[];
  /** Certificate authorities of one's own; absent for none. */
  readonly x509?: readonly X509Root[];
}

/** A Sigstore instance as a trust document has it. */
export type InstanceDocument = TrustDocument["sigstore"][number];

/** A trust document that was checked, hashed and made ready to verify with. Immutable. */
export interface TrustSnapshot {
  /** `sha256:…` of `bytes`. */
  readonly hash: string;
  /** The document as canonical JSON (RFC 8785). */
  readonly bytes: Uint8Array;
  readonly document: TrustDocument;
  readonly instances: readonly SigstoreInstance[];
  readonly keys: readonly PreparedKey[];
  readonly x509: readonly PreparedX509Root[];
}

const MAX_INSTANCES = 16;
const MAX_KEYS = 64;
const MAX_X509_ROOTS = 64;
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

/** Reads a trust document's JSON. Throws `VouchsafeError` (`invalid-trust`). */
export function parseTrust(bytes: Uint8Array): TrustSnapshot {
  return prepare(readJson(bytes));
}

/** Checks and hashes a trust document. Throws `VouchsafeError` (`invalid-trust`). */
export function createTrust(document: TrustDocument): TrustSnapshot {
  return parseTrust(Buffer.from(JSON.stringify(document)));
}

function readJson(bytes: Uint8Array): JsonValue {
  try {
    return parseJson(bytes, { maxBytes: MAX_DOCUMENT_BYTES });
  } catch (cause) {
    throw invalid("the trust document is not strict JSON", cause);
  }
}

function prepare(value: JsonValue): TrustSnapshot {
  const document = objectAt(value, "trust", ["sigstore", "keys", "x509"]);
  // To trust nobody is a choice to be written out, and not what an empty object says.
  for (const list of ["sigstore", "keys"])
    if (!Array.isArray(document[list])) throw invalid(`${list} is not an array`);
  const instances = arrayAt(document.sigstore, "sigstore", MAX_INSTANCES).map((instance, i) =>
    parseInstance(instance, `sigstore[${i}]`),
  );
  const keys = arrayAt(document.keys, "keys", MAX_KEYS).map((key, i) => parseTrustedKey(key, `keys[${i}]`));
  const x509 = arrayAt(document.x509, "x509", MAX_X509_ROOTS).map((root, i) =>
    parseX509Root(root, `x509[${i}]`),
  );
  // What a signer's certificate was issued under is named alike, whether an instance or a root of one's own.
  refuseDuplicates("sigstore, x509", "name", [...instances, ...x509], ({ name }) => name);
  refuseDuplicates("keys", "name", keys, ({ name }) => name);
  // One key, one name: a policy that trusts a name must not depend on which of two the verifier met first.
  refuseDuplicates("keys", "publicKey", keys, ({ fingerprint }) => fingerprint);
  const bytes = Buffer.from(canonicalJson(document));
  return {
    hash: sha256(bytes),
    bytes,
    document: document as unknown as TrustDocument,
    instances,
    keys,
    x509,
  };
}

function refuseDuplicates<Part extends { readonly name: string }>(
  list: string,
  member: string,
  parts: readonly Part[],
  read: (part: Part) => string,
): void {
  for (const same of Map.groupBy(parts, read).values()) {
    const names = [...new Set(same.map(({ name }) => name))].join(", ");
    if (same.length > 1) throw invalid(`${list}: two have the same ${member}: ${names}`);
  }
}

/**
 * Whether everything that `previous` believes is believed by `next` in the same way, so that what verified under
 * `previous` still does. False negatives only cost verifying again.
 */
export function extendsTrust(next: TrustSnapshot, previous: TrustSnapshot): boolean {
  const keys = new Set(members(next.document.keys));
  const x509 = members(next.document.x509);
  // Authorities are tried in order, instances first: an older one must keep its place before newer ones.
  return (
    members(previous.document.keys).every((key) => keys.has(key)) &&
    previous.instances.every((instance, i) => extendsInstance(next.instances[i], instance)) &&
    members(previous.document.x509).every((root, i) => x509[i] === root) &&
    (previous.x509.length === 0 || next.instances.length === previous.instances.length)
  );
}

function extendsInstance(next: SigstoreInstance | undefined, previous: SigstoreInstance): boolean {
  if (next === undefined || next.name !== previous.name) return false;
  const { logEntries, scts, timestamps } = previous.thresholds;
  if (
    next.thresholds.logEntries > logEntries ||
    next.thresholds.scts > scts ||
    next.thresholds.timestamps > timestamps
  )
    return false;
  return ["tlogs", "ctlogs", "certificateAuthorities", "timestampAuthorities"].every((list) => {
    const kept = new Set(members(next.trustedRoot[list]));
    return members(previous.trustedRoot[list]).every((member) => kept.has(member));
  });
}

/** The items of a list, each as one canonical text; none for an absent list. */
function members(list: unknown): string[] {
  return Array.isArray(list) ? list.map((item) => canonicalJson(item as JsonValue)) : [];
}
