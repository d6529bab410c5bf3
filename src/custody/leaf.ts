import { VouchsafeError } from "../errors.ts";
import { EVENT_TYPES, type EventType, type ProjectId } from "./events.ts";

/**
 * What is public of an event: the bytes that are hashed into the tree (docs/log-format.md). It names no
 * artifact and no project: those who may not read the body learn its type, its time, and how it is linked.
 */
export interface Leaf {
  readonly type: EventType;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly project: ProjectId;
  /** sha256 over the salt and the body: see `bodyHash`. */
  readonly bodyHash: Uint8Array;
  /** For each chain that the event joins, the index of that chain's event before this one, or null for its first. */
  readonly previous: readonly (number | null)[];
}

/** tlog-tiles prefixes each entry with a 16-bit length. */
export const MAX_LEAF_BYTES = 65_535;
/** Chains that an event can join: more than the 4,096 that the writer takes. */
const MAX_LINKS = 8_184;

/** The last time that ECMAScript's Date can hold: year 275760. */
const MAX_TIME = 8_640_000_000_000_000;

const VERSION = 1;
const FIXED_BYTES = 60;
const NO_PREVIOUS = 0xffff_ffff_ffff_ffffn;
const TYPES_BY_NUMBER: ReadonlyMap<number, EventType> = new Map(
  Object.entries(EVENT_TYPES).map(([type, number]) => [number, type as EventType]),
);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Leaf version 1, big-endian: version, type, time, project, body hash, number of links, links. Throws `malformed-leaf`. */
export function encodeLeaf(leaf: Leaf): Uint8Array {
  refuseUnless(Object.hasOwn(EVENT_TYPES, leaf.type), "unknown event type");
  refuseUnless(
    isIndex(leaf.time) && leaf.time <= MAX_TIME,
    "the time is not whole milliseconds since the epoch",
  );
  refuseUnless(UUID.test(leaf.project), "the project is not a UUID in lower case");
  refuseUnless(leaf.bodyHash.length === 32, "the body hash is not 32 bytes");
  refuseUnless(leaf.previous.length <= MAX_LINKS, "too many links for one leaf");

  const bytes = Buffer.alloc(FIXED_BYTES + 8 * leaf.previous.length);
  bytes.writeUInt8(VERSION, 0);
  bytes.writeUInt8(EVENT_TYPES[leaf.type], 1);
  bytes.writeBigUInt64BE(BigInt(leaf.time), 2);
  bytes.write(leaf.project.replaceAll("-", ""), 10, "hex");
  bytes.set(leaf.bodyHash, 26);
  bytes.writeUInt16BE(leaf.previous.length, 58);
  for (const [i, index] of leaf.previous.entries()) {
    refuseUnless(index === null || isIndex(index), "a link is not an index");
    bytes.writeBigUInt64BE(index === null ? NO_PREVIOUS : BigInt(index), FIXED_BYTES + 8 * i);
  }
  return bytes;
}

/**
 * Reads exactly what `encodeLeaf` writes: another version, an unknown type, or one byte too many or too few
 * is refused, so that each leaf has one reading and each event one leaf. Throws `malformed-leaf`.
 */
export function decodeLeaf(leaf: Uint8Array): Leaf {
  refuseUnless(leaf.length >= FIXED_BYTES && leaf.length <= MAX_LEAF_BYTES, "not the length of a leaf");
  const bytes = Buffer.from(leaf.buffer, leaf.byteOffset, leaf.byteLength);
  refuseUnless(bytes.readUInt8(0) === VERSION, "unknown leaf version");
  const type = TYPES_BY_NUMBER.get(bytes.readUInt8(1));
  refuseUnless(type !== undefined, "unknown event type");
  const time = safeNumber(bytes.readBigUInt64BE(2));
  refuseUnless(time <= MAX_TIME, "the time is too far away");
  const count = bytes.readUInt16BE(58);
  refuseUnless(
    count <= MAX_LINKS && bytes.length === FIXED_BYTES + 8 * count,
    "not as many links as announced",
  );
  return {
    type,
    time,
    project: formatUuid(bytes.toString("hex", 10, 26)) as ProjectId,
    bodyHash: Uint8Array.from(bytes.subarray(26, 58)),
    previous: Array.from({ length: count }, (_, i) => {
      const link = bytes.readBigUInt64BE(FIXED_BYTES + 8 * i);
      return link === NO_PREVIOUS ? null : safeNumber(link);
    }),
  };
}

function safeNumber(value: bigint): number {
  const number = Number(value);
  refuseUnless(isIndex(number), "a number is too large");
  return number;
}

function isIndex(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function formatUuid(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function refuseUnless(condition: boolean, message: string): asserts condition {
  if (!condition) throw new VouchsafeError("malformed-leaf", message);
}
