/** An int8 as it comes over the wire. Anything that JavaScript would round is refused. */
export function integerOf(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 ${text} is not a safe integer`);
  return value;
}

/** A plain view: `pg` gives `Buffer`, PGlite `Uint8Array`, and the two are unequal in a deep comparison. */
export function bytesOf(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError("bytea did not come as bytes");
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}
