import type { Receipt } from "../../custody/receipt.ts";
import { findManifest } from "../../db/containment.ts";
import { readHead } from "../../db/log.ts";
import { VouchsafeError } from "../../errors.ts";
import { sha256 } from "../../in-toto-attestation/digest.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { parseManifest } from "../../oci/manifest.ts";
import { appendFresh } from "../append.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { receiptFor } from "../log/receipts.ts";

export interface RecordedManifest {
  /** sha256 of its bytes: the digest of the image index or image that it is the manifest of. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** What it names as its parts, sorted. */
  readonly contains: readonly Digest[];
  readonly receipt: Receipt;
  /** False when the same bytes were recorded before: the receipt is then of that record. */
  readonly created: boolean;
}

/**
 * Records what a manifest says: that the artifact, whose bytes it is, holds others. Nobody has to be believed for that.
 * The event stands in the chains of all of them, so their verdicts are evaluated anew when they are next asked about.
 *
 * @throws VouchsafeError `malformed-manifest`, `too-many-items`
 */
export async function recordContainment(
  v: Vouchsafe,
  { project, token }: Caller,
  bytes: Uint8Array,
): Promise<RecordedManifest> {
  const { mediaType, contains } = parseManifest(bytes);
  if (contains.length === 0) throw new VouchsafeError("malformed-manifest", "the manifest names no parts");
  const digest = sha256(bytes);
  const { committed, known } = await appendFresh(v, async () => {
    const { size } = await readHead(v.database.kysely);
    const basis = { project, asOf: size, restsOn: [digest] };
    const known = await findManifest(v.database.kysely, project, digest);
    if (known !== undefined) return { known, proposal: { ...basis, events: [] } };
    const body = { manifest: digest, mediaType, size: bytes.length, contained: contains, caller: token };
    return {
      known,
      proposal: {
        ...basis,
        events: [{ type: "containment.recorded", about: [digest, ...contains], body }],
        documents: [{ hash: digest, kind: "manifest", bytes }],
      },
    };
  });
  const receipt = known === undefined ? committed[0]?.receipt : await receiptFor(v, known);
  if (receipt === undefined) throw new TypeError("the writer committed no event");
  return { digest, mediaType, contains, receipt, created: known === undefined };
}
