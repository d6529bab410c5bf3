import { type DerElement, DerError, derChildren, expectTag, readDer, TAG } from "../der/reader.ts";
import { oid, sequence, utf8String, wholeNumber } from "../der/writer.ts";
import { AttestationFormatError, parseDigest } from "../in-toto-attestation/index.ts";
import { type Grounds, MAX_GROUNDS } from "./grounds.ts";

/**
 * Names the extension of an SVID that says what it was granted for (docs/svid.md). Made of the UUID
 * 7746f1f8-5100-45fd-a1c8-3305a1544b06 in the way that needs no registration and keeps every arc small: Go's X.509
 * parser refuses a certificate with an arc over 31 bits, as a UUID's own below 2.25 is.
 */
export const GROUNDS = oid("1.2.840.113556.1.8000.2554.30534.61944.20736.17917.41416.3343777.5524230");

/**
 * `SEQUENCE { digests SEQUENCE OF UTF8String, policies SEQUENCE OF UTF8String, verdicts SEQUENCE OF INTEGER,
 * index INTEGER OPTIONAL }`, DER: the value of the extension that carries an
 * SVID's grounds (docs/svid.md). It is never critical: a peer that knows nothing of it still knows who the
 * workload is.
 */
export function encodeGrounds({ digests, policies, verdicts, index: own }: Grounds): Buffer {
  return sequence(
    sequence(...digests.map(utf8String)),
    sequence(...policies.map(utf8String)),
    sequence(...verdicts.map(wholeNumber)),
    ...(own === undefined ? [] : [wholeNumber(own)]),
  );
}

/** Reads only what `encodeGrounds` writes, byte for byte. Throws `DerError`. */
export function decodeGrounds(bytes: Uint8Array): Grounds {
  const [digests, policies, verdicts, own, ...rest] = derChildren(
    expectTag(readDer(bytes), TAG.sequence).content,
  );
  if (rest.length > 0) throw new DerError("the grounds have a fifth member");
  const grounds = {
    digests: list(digests, (element) => digest(text(element))),
    policies: list(policies, text),
    verdicts: list(verdicts, numberOf),
    ...(own !== undefined && { index: numberOf(own) }),
  };
  if (![...grounds.verdicts, grounds.index ?? 0].every(Number.isSafeInteger))
    throw new DerError("a log index is too large");
  if (!encodeGrounds(grounds).equals(bytes)) throw new DerError("the grounds are not in their one spelling");
  return grounds;
}

function list<T>(element: DerElement | undefined, read: (element: DerElement) => T): T[] {
  const members = derChildren(expectTag(element, TAG.sequence).content);
  if (members.length > MAX_GROUNDS) throw new DerError(`there are more than ${MAX_GROUNDS} members`);
  return members.map(read);
}

function numberOf({ content }: DerElement): number {
  return content.reduce((sum, byte) => sum * 256 + byte, 0);
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function text({ content }: DerElement): string {
  try {
    return utf8.decode(content);
  } catch {
    throw new DerError("a text is not UTF-8");
  }
}

function digest(value: string): Grounds["digests"][number] {
  try {
    return parseDigest(value);
  } catch (error) {
    if (error instanceof AttestationFormatError) throw new DerError(error.message);
    throw error;
  }
}
