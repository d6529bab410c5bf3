import {
  type Digest,
  digestOf,
  isJsonObject,
  parseJson,
  parseStatement,
  subjectsOf,
} from "../in-toto-attestation/index.ts";
import { orUndefined } from "../verify/format-errors.ts";
import { readEvidence } from "../verify/formats/read-evidence.ts";

/** What a source has about a digest. Nothing of it is believed for having been found. */
export interface Found {
  /** A manifest has the digest that it was asked for by; evidence names the digest that was asked about. */
  readonly case: "evidence" | "manifest";
  readonly bytes: Uint8Array;
  /** Where it was, for people: no credentials, and no query. */
  readonly from: string;
}

/** Of one piece. */
export const MAX_PIECE = 16 * 1024 * 1024;

/**
 * Whether a document is evidence that is about one of the digests, as far as it says so itself: whether that is true is
 * for those who verify it. A source that answers with something else is not passed on.
 */
export function isAbout(bytes: Uint8Array, digests: ReadonlySet<Digest>): boolean {
  return orUndefined(() => digestsIn(bytes))?.some((digest) => digests.has(digest)) ?? false;
}

function digestsIn(bytes: Uint8Array): readonly Digest[] {
  const json = parseJson(bytes, { maxBytes: MAX_PIECE });
  if (!isJsonObject(json)) return [];
  const { content } = readEvidence(json);
  if (content.case === "envelope")
    return subjectsOf(parseStatement(content.payload.bytes)).flatMap(({ digests }) => digests);
  if (content.digest === undefined) return [];
  return [digestOf(content.digest.algorithm, Buffer.from(content.digest.bytes).toString("hex"))];
}
