import { VouchsafeError } from "../errors.ts";
import {
  type Digest,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseDigest,
} from "../in-toto-attestation/index.ts";

/**
 * Who signed: a certificate's identity under its issuer, or a key by its name in the trust snapshot, with its id where the
 * snapshot in force had it.
 */
export type RevokedSigner =
  | { readonly issuer: string; readonly identity: string }
  | { readonly key: string; readonly keyId?: string };

/** A part of the time, of trusted times at which a signature existed: `from <= time < until`, RFC 3339 with milliseconds. */
export interface Window {
  readonly from?: string;
  readonly until?: string;
}

/** Where evidence comes from: who signed it, or what it says of builder and source. */
export type Origin =
  | ({ readonly signer: RevokedSigner } & Window)
  | ({ readonly builder: string } & Window)
  | { readonly repository: string };

/**
 * What is revoked, by exact values and no patterns: who revokes can say which evidence that is, and no builder or repository
 * falls because its name is like another's.
 */
export type RevocationTarget =
  /** With the digest of what was signed, where the attestation was there to look at. */
  { readonly attestation: Digest; readonly payload?: Digest } | Origin | { readonly artifact: Digest };

const MAX_TEXT = 2048;
/** Control characters, which no name has: a row could not hold them, and a terminal would obey them. */
const CONTROL = /\p{Cc}/u;

/**
 * Reads a target as events have it, with its members in one spelling.
 *
 * @throws VouchsafeError `invalid-request`; AttestationFormatError `malformed-digest`
 */
export function parseTarget(value: JsonValue | undefined): RevocationTarget {
  const target = objectIn(value);
  if (target.attestation !== undefined) {
    const { attestation, payload } = target;
    return only(target, {
      attestation: digest(attestation),
      ...(payload !== undefined && { payload: digest(payload) }),
    });
  }
  if (target.artifact !== undefined) return only(target, { artifact: digest(target.artifact) });
  if (target.repository !== undefined) return only(target, { repository: text(target.repository) });
  if (target.builder !== undefined)
    return only(target, { builder: text(target.builder), ...windowIn(target) });
  const signer = signerIn(objectIn(target.signer));
  // Who holds a key can have what it signed in the window timestamped after it; a short-lived certificate cannot.
  if ("key" in signer && target.until !== undefined)
    throw malformed(
      "has no until for a key, whose signatures can be given a later time than they were made at",
    );
  return only(target, { signer, ...windowIn(target) });
}

/** A target in words. */
export function targetText(target: RevocationTarget): string {
  if ("attestation" in target) return `attestation ${target.attestation}`;
  if ("artifact" in target) return `artifact ${target.artifact}`;
  if ("repository" in target) return `repository ${target.repository}`;
  const { from, until } = target;
  const when = `${from === undefined ? "" : ` from ${from}`}${until === undefined ? "" : ` until ${until}`}`;
  if ("builder" in target) return `builder ${target.builder}${when}`;
  const { signer } = target;
  return "key" in signer
    ? `signer key ${signer.key}${when}`
    : `signer ${signer.identity} (${signer.issuer})${when}`;
}

function signerIn(signer: JsonObject): RevokedSigner {
  const { key, keyId } = signer;
  if (key !== undefined)
    return only(signer, { key: text(key), ...(keyId !== undefined && { keyId: text(keyId) }) });
  return only(signer, { issuer: text(signer.issuer), identity: text(signer.identity) });
}

function windowIn({ from, until }: JsonObject): Window {
  const window = {
    ...(from !== undefined && { from: time(from) }),
    ...(until !== undefined && { until: time(until) }),
  };
  const { from: start, until: end } = window;
  if (start !== undefined && end !== undefined && Date.parse(start) >= Date.parse(end))
    throw malformed("has a window that ends before it begins");
  return window;
}

/** What was read, where nothing else stands beside it. */
export function only<T extends object>(given: JsonObject, read: T): T {
  if (Object.keys(given).every((name) => name in read)) return read;
  throw malformed("names one thing, with no other members than its own");
}

export function objectIn(value: JsonValue | undefined): JsonObject {
  if (value !== undefined && isJsonObject(value)) return value;
  throw malformed("is an object that names what it is");
}

export function text(value: JsonValue | undefined): string {
  if (typeof value === "string" && value !== "" && value.length <= MAX_TEXT && !CONTROL.test(value))
    return value;
  throw malformed(`has texts of 1 to ${MAX_TEXT} characters`);
}

function digest(value: JsonValue): Digest {
  return parseDigest(text(value));
}

function time(value: JsonValue): string {
  const said = text(value);
  const time = Date.parse(said);
  if (!Number.isNaN(time) && new Date(time).toISOString() === said) return said;
  throw malformed("has times such as 2026-03-01T12:00:00.000Z");
}

export function malformed(what: string): VouchsafeError {
  return new VouchsafeError("invalid-request", `A target ${what}`);
}
