import { commonNamesOf } from "./signing-certificate.ts";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** How the types of DirectoryString, and IA5String, are written (RFC 5280 §4.1.2.4, X.680 §41). */
const DECODERS = new Map([
  [0x0c, utf8],
  [0x13, utf8],
  // TeletexString: nobody writes T.61 in it.
  [0x14, new TextDecoder("latin1")],
  [0x16, utf8],
  [0x1e, new TextDecoder("utf-16be", { ignoreBOM: true })],
]);

/**
 * The first common name of a Name, for people: nothing is decided by it, so that what cannot be read of it is replaced.
 * Undefined where there is none. Throws `DerError` for what is no Name.
 */
export function displayNameOf(name: Uint8Array): string | undefined {
  const [first] = commonNamesOf(name);
  return (first && DECODERS.get(first.tag)?.decode(first.content)) || undefined;
}
