import fc from "../support/fc.ts";

/** An edit of a string of bytes. */
export interface Edit {
  readonly act: "flip" | "set" | "delete" | "insert" | "repeat" | "truncate";
  readonly at: number;
  readonly length: number;
  readonly byte: number;
}

/** Picks among whatever is there. */
export const nat = fc.nat({ max: 0x7fffffff });

export const edit: fc.Arbitrary<Edit> = fc.record({
  act: fc.constantFrom("flip", "set", "delete", "insert", "repeat", "truncate"),
  at: nat,
  length: fc.integer({ min: 1, max: 12 }),
  byte: fc.nat({ max: 255 }),
});

export function edited(bytes: Buffer, { act, at, length, byte }: Edit): Buffer {
  const from = at % (bytes.length + 1);
  const middle = bytes.subarray(from, from + length);
  const [before, after] = [bytes.subarray(0, from), bytes.subarray(from + length)];
  switch (act) {
    case "flip":
    case "set": {
      const copy = Buffer.from(bytes);
      const old = copy[from];
      if (old !== undefined) copy[from] = act === "set" ? byte : old ^ (1 << (byte & 7));
      return copy;
    }
    case "delete":
      return Buffer.concat([before, after]);
    case "insert":
      return Buffer.concat([before, Buffer.alloc(length, byte), middle, after]);
    case "repeat":
      return Buffer.concat([before, middle, middle, after]);
    case "truncate":
      return Buffer.from(before);
  }
}
