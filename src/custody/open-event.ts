import { VouchsafeError } from "../errors.ts";
import { sameHash } from "../tlog/hash.ts";
import { bodyHash, decodeBody, SALT_BYTES } from "./body.ts";
import type { LogEvent } from "./events.ts";
import { decodeLeaf } from "./leaf.ts";

/** What an event was opened with: whether its leaf is in the log at `index` is another question. */
export interface OpenedEvent {
  readonly index: number;
  readonly leaf: Uint8Array;
  readonly salt: Uint8Array;
  /** The body's canonical bytes. */
  readonly body: Uint8Array;
}

/** The event of this leaf, which must commit to the salt and the body that come with it. Throws `malformed-leaf`. */
export function openEvent({ index, leaf, salt, body: bytes }: OpenedEvent): LogEvent {
  const { bodyHash: committed, ...fields } = decodeLeaf(leaf);
  if (salt.length !== SALT_BYTES || !sameHash(bodyHash(salt, bytes), committed)) {
    throw new VouchsafeError("malformed-leaf", "the leaf commits to another body");
  }
  const { about, body } = decodeBody(bytes);
  if (about.length !== fields.previous.length) {
    throw new VouchsafeError(
      "malformed-leaf",
      "its leaf has another number of links than its body names chains",
    );
  }
  return { index, ...fields, about, body, salt, leaf };
}
