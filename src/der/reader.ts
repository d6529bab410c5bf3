/** One DER element (X.690 §8.1): `content` and `encoded` are views, not copies. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag, length and content. */
  readonly encoded: Uint8Array;
  /** `encoded` in lower-case hex. */
  readonly hex: string;
  /** `content` as text of one character for each byte. */
  readonly latin1: string;
  /** The elements that a constructed element consists of. Throws `DerError`. */
  children(): DerElement[];
  /** The one element that an element holds, constructed or an OCTET STRING. Throws `DerError`. */
  only(): DerElement;
}

/** Bytes that are not DER. Whoever reads them turns it into an error with a code: it never reaches a caller. */
export class DerError extends Error {
  override readonly name = "DerError";
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The one element that the bytes are. Throws `DerError`, also for anything that follows it. */
export function readDer(bytes: Uint8Array): DerElement {
  return onlyElementIn(bufferOf(bytes), 0, bytes.length);
}

/** The elements that follow one another in a constructed element's content. Throws `DerError`. */
export function derChildren(content: Uint8Array): DerElement[] {
  return elementsIn(bufferOf(content), 0, content.length);
}

/** The element, which must be there and have this tag. Throws `DerError`. */
export function expectTag(element: DerElement | undefined, tag: number): DerElement {
  if (element?.tag !== tag) throw new DerError(`expected tag ${tag}`);
  return element;
}

/** Lower-case hex, by which encodings are looked up and compared. */
export function hexOf(bytes: Uint8Array): string {
  return bufferOf(bytes).toString("hex");
}

function bufferOf(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What a BIT STRING of whole bytes holds. Throws `DerError`. */
export function wholeBytes({ content }: DerElement): Uint8Array {
  if (content[0] !== 0) throw new DerError("a bit string is not of whole bytes");
  return content.subarray(1);
}

/** An element at its place. Most are read for their tag alone or their content alone, and views take longest to make. */
class PlacedElement implements DerElement {
  readonly tag: number;
  readonly end: number;
  private readonly bytes: Buffer;
  private readonly start: number;
  private readonly header: number;

  constructor(bytes: Buffer, start: number, header: number, end: number, tag: number) {
    this.bytes = bytes;
    this.start = start;
    this.header = header;
    this.end = end;
    this.tag = tag;
  }

  get content(): Uint8Array {
    return this.bytes.subarray(this.header, this.end);
  }

  get encoded(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }

  get hex(): string {
    return this.bytes.toString("hex", this.start, this.end);
  }

  get latin1(): string {
    return this.bytes.toString("latin1", this.header, this.end);
  }

  children(): DerElement[] {
    return elementsIn(this.bytes, this.header, this.end);
  }

  only(): DerElement {
    return onlyElementIn(this.bytes, this.header, this.end);
  }
}

function onlyElementIn(bytes: Buffer, start: number, end: number): PlacedElement {
  const element = elementAt(bytes, start, end);
  if (element.end !== end) throw new DerError("something follows the element");
  return element;
}

function elementsIn(bytes: Buffer, start: number, end: number): PlacedElement[] {
  const elements: PlacedElement[] = [];
  for (let at = start; at < end; ) {
    const element = elementAt(bytes, at, end);
    elements.push(element);
    at = element.end;
  }
  return elements;
}

/**
 * The element that begins at `start` and ends at `limit` or before it. One-byte tags and definite, minimal lengths of
 * at most three bytes: all that a certificate needs.
 */
function elementAt(bytes: Buffer, start: number, limit: number): PlacedElement {
  if (start + 2 > limit) throw new DerError("the element is cut off");
  const tag = bytes[start] ?? 0;
  const first = bytes[start + 1] ?? 0;
  if ((tag & 0x1f) === 0x1f) throw new DerError("the tag has more than one byte");
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > 3) throw new DerError("the length is indefinite or too long");
  const header = start + 2 + lengthBytes;
  if (header > limit) throw new DerError("the element is cut off");
  let length = lengthBytes === 0 ? first : 0;
  for (let at = start + 2; at < header; at += 1) length = length * 256 + (bytes[at] ?? 0);
  if (lengthBytes > 0 && (length < 0x80 || bytes[start + 2] === 0))
    throw new DerError("the length is not minimal");
  const end = header + length;
  if (end > limit) throw new DerError("the element is cut off");
  return new PlacedElement(bytes, start, header, end, tag);
}
