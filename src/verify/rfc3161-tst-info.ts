import { type DerElement, DerError, derChildren, expectTag, readDer, TAG } from "../der/reader.ts";
import { readUtcDigits } from "../der/time.ts";
import { type CmsHash, readDigestAlgorithm } from "./cms-algorithms.ts";

/** What a timestamp says (RFC 3161 §2.4.2), as read. */
export interface TstInfo {
  /** Digest of what was stamped. */
  readonly imprint: { readonly algorithm: CmsHash; readonly digest: Uint8Array };
  /** Milliseconds since the epoch. What it says beyond them is cut off. */
  readonly time: number;
}

const TSA_NAME = 0xa0;
const EXTENSIONS = 0xa1;

/**
 * Reads a TSTInfo. Policy, serial number, accuracy, ordering, nonce and the authority's name must be well-formed,
 * and nothing here depends on what they say: the nonce was for who asked, and a time's accuracy is not promised
 * beyond a second.
 *
 * Throws `DerError`, also for a critical extension, of which none is known.
 */
export function readTstInfo(der: Uint8Array): TstInfo {
  const [version, policy, imprint, serial, time, ...rest] = derChildren(
    expectTag(readDer(der), TAG.sequence).content,
  );
  if (integerOf(version) !== 1) throw new DerError("it is not of version 1");
  expectTag(policy, TAG.oid);
  expectTag(serial, TAG.integer);
  skip(rest, TAG.sequence, assertAccuracy);
  skip(rest, TAG.boolean);
  skip(rest, TAG.integer);
  skip(rest, TSA_NAME);
  skip(rest, EXTENSIONS, assertNoneCritical);
  if (rest.length > 0) throw new DerError("it has a member that is not known, or not in order");
  return { imprint: readImprint(imprint), time: readGenTime(time) };
}

function readImprint(element: DerElement | undefined): TstInfo["imprint"] {
  const [algorithm, digest, ...rest] = derChildren(expectTag(element, TAG.sequence).content);
  if (rest.length > 0) throw new DerError("the imprint has a third member");
  return {
    algorithm: readDigestAlgorithm(expectTag(algorithm, TAG.sequence)),
    digest: expectTag(digest, TAG.octetString).content,
  };
}

/** Fractions of any length and no trailing zeros, always UTC (RFC 3161 §2.4.2). */
const GEN_TIME = /^(\d{14})(?:\.(\d*[1-9]))?Z$/;

function readGenTime(element: DerElement | undefined): number {
  const text = Buffer.from(expectTag(element, TAG.generalizedTime).content).toString("latin1");
  const [, digits, fraction = ""] = GEN_TIME.exec(text) ?? [];
  if (digits === undefined) throw new DerError("the time is malformed");
  return readUtcDigits(digits) + Number(fraction.slice(0, 3).padEnd(3, "0"));
}

/** Takes an optional member off the list, after a look at it. */
function skip(rest: DerElement[], tag: number, look?: (element: DerElement) => void): void {
  if (rest[0]?.tag !== tag) return;
  const [element] = rest.splice(0, 1);
  if (element !== undefined) look?.(element);
}

/** Accuracy: seconds, millis [0], micros [1], each optional. */
function assertAccuracy({ content }: DerElement): void {
  const members = derChildren(content);
  for (const tag of [TAG.integer, 0x80, 0x81]) skip(members, tag);
  if (members.length > 0) throw new DerError("the accuracy is malformed");
}

function assertNoneCritical({ content }: DerElement): void {
  for (const extension of derChildren(content)) {
    const [id, value, ...rest] = derChildren(expectTag(extension, TAG.sequence).content);
    expectTag(id, TAG.oid);
    // In a critical one a BOOLEAN stands here.
    expectTag(value, TAG.octetString);
    if (rest.length > 0) throw new DerError("an extension is malformed");
  }
}

function integerOf(element: DerElement | undefined): number | undefined {
  const { content } = expectTag(element, TAG.integer);
  return content.length === 1 ? content[0] : undefined;
}
