import { hashBytes } from "../in-toto-attestation/digest.ts";

/** What a signature, or a timestamp, is over. */
export interface Signed {
  /** Undefined where only a digest of them is at hand. */
  readonly bytes: Uint8Array | undefined;
  /**
   * Digest of the bytes, by the name that node:crypto has for the algorithm. Undefined where the bytes are not at hand and the
   * digest that is was made by another algorithm.
   */
  digest(algorithm: string): Uint8Array | undefined;
}

export function overDigest(algorithm: string, digest: Uint8Array): Signed {
  return { bytes: undefined, digest: (asked) => (asked === algorithm ? digest : undefined) };
}

/** Hashed once by each algorithm, whoever asks: log entries, timestamps, and one key after another. */
export class SignedBytes implements Signed {
  readonly bytes: Uint8Array;
  private digests: Map<string, Buffer> | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  digest(algorithm: string): Buffer {
    this.digests ??= new Map();
    const known = this.digests.get(algorithm) ?? hashBytes(algorithm, this.bytes);
    this.digests.set(algorithm, known);
    return known;
  }
}
