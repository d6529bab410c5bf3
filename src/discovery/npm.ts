import { VouchsafeError } from "../errors.ts";
import { algorithmOf, type Digest, digestOf } from "../in-toto-attestation/index.ts";
import { isJsonObject } from "../in-toto-attestation/json.ts";
import { unpackEvidence } from "../verify/formats/unpack.ts";
import { type Ask, bytesOf, MAX_PAGE, objectOf } from "./ask.ts";
import { type Found, isAbout, MAX_PIECE } from "./found.ts";
import type { Reference } from "./reference.ts";

type NpmReference = Extract<Reference, { case: "npm" }>;

const JSON_TYPE = "application/json";

/** sha512 of a published version's tarball, as its registry has it. Throws `not-found`, and `outbound-failed` for one without. */
export async function resolveNpm({ base, name, version }: NpmReference, ask: Ask): Promise<Digest> {
  const url = `${base}/${name.replace("/", "%2f")}/${version}`;
  const answer = await ask(url, { accept: JSON_TYPE, maxBytes: MAX_PAGE });
  const manifest = objectOf(answer);
  if (manifest === undefined)
    throw new VouchsafeError("not-found", `${answer.url.host} has no ${name}@${version}`);
  const { dist } = manifest;
  // W3C Subresource Integrity: hashes with spaces between, of which the strongest counts.
  const integrity = isJsonObject(dist) && typeof dist.integrity === "string" ? dist.integrity : "";
  const [, base64] = /(?:^| )sha512-([A-Za-z0-9+/]{86}==)(?:$|[ ?])/.exec(integrity) ?? [];
  if (base64 !== undefined) return digestOf("sha512", Buffer.from(base64, "base64").toString("hex"));
  throw new VouchsafeError("outbound-failed", `${answer.url.host} says no sha512 of ${name}@${version}`);
}

/**
 * The attestations of a version of a package: what npm's CLI asks for in `npm audit signatures`.
 *
 * @throws VouchsafeError `subject-mismatch` where the version is another artifact
 */
export async function* discoverInNpm(
  digest: Digest,
  reference: NpmReference,
  ask: Ask,
): AsyncGenerator<Found> {
  const { base, name, version } = reference;
  if (algorithmOf(digest) !== "sha512")
    throw new VouchsafeError("subject-mismatch", "npm names its tarballs by sha512: ask about that digest");
  if ((await resolveNpm(reference, ask)) !== digest)
    throw new VouchsafeError("subject-mismatch", `${name}@${version} is another artifact than ${digest}`);
  const url = `${base}/-/npm/v1/attestations/${name.replace("/", "%2f")}@${version}`;
  const answer = await ask(url, { accept: JSON_TYPE, maxBytes: MAX_PIECE });
  const bytes = bytesOf(answer);
  const about = new Set([digest]);
  for (const piece of (bytes && unpackEvidence(bytes)) ?? [])
    if (isAbout(piece, about)) yield { case: "evidence", bytes: piece, from: url };
}
