import { createHash } from "node:crypto";

/*
 * The tree as RFC 6962, section 2.1 writes it down: recursive, over the whole list of leaves, in another way
 * and with another hash call than src/tlog. D[a:b] of the RFC is `(a, b)` here; each hash is remembered.
 */

function sha256(...parts: Uint8Array[]): Uint8Array {
  return createHash("sha256").update(Buffer.concat(parts)).digest();
}

/** The entries of the test log: entry i is the text "entry i". */
export function entries(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => Buffer.from(`entry ${i}`));
}

export interface NaiveTree {
  /** MTH(D[n]) */
  root(n: number): Uint8Array;
  /** PATH(m, D[n]) */
  path(m: number, n: number): Uint8Array[];
  /** PROOF(m, D[n]) */
  proof(m: number, n: number): Uint8Array[];
  /** tlog-tiles: MTH(D[(tile * 256 + i) * 256^level : (tile * 256 + i + 1) * 256^level]) for each i. */
  tile(level: number, tile: number, width: number): Uint8Array;
}

export function naiveTree(d: readonly Uint8Array[]): NaiveTree {
  const known = new Map<number, Uint8Array>();

  function mth(a: number, b: number): Uint8Array {
    const key = a * (d.length + 1) + b;
    const hash = known.get(key) ?? compute(a, b);
    known.set(key, hash);
    return hash;
  }

  function compute(a: number, b: number): Uint8Array {
    if (a === b) return sha256();
    if (b - a === 1) return sha256(Buffer.of(0), d[a] as Uint8Array);
    const k = split(b - a);
    return sha256(Buffer.of(1), mth(a, a + k), mth(a + k, b));
  }

  function path(m: number, a: number, b: number): Uint8Array[] {
    if (b - a === 1) return [];
    const k = split(b - a);
    if (m < k) return [...path(m, a, a + k), mth(a + k, b)];
    return [...path(m - k, a + k, b), mth(a, a + k)];
  }

  function subproof(m: number, a: number, b: number, whole: boolean): Uint8Array[] {
    if (m === b - a) return whole ? [] : [mth(a, b)];
    const k = split(b - a);
    if (m <= k) return [...subproof(m, a, a + k, whole), mth(a + k, b)];
    return [...subproof(m - k, a + k, b, false), mth(a, a + k)];
  }

  return {
    root: (n) => mth(0, n),
    path: (m, n) => path(m, 0, n),
    proof: (m, n) => subproof(m, 0, n, true),
    tile: (level, tile, width) => {
      const span = 256 ** level;
      const starts = Array.from({ length: width }, (_, i) => (tile * 256 + i) * span);
      return Buffer.concat(starts.map((start) => mth(start, start + span)));
    },
  };
}

/** k of the RFC: the largest power of two smaller than n. */
function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}
