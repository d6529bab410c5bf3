import { VouchsafeError } from "../errors.ts";
import type { Digest } from "../in-toto-attestation/index.ts";
import { parseManifest } from "../oci/manifest.ts";
import { orUndefined } from "../verify/format-errors.ts";
import { ENVELOPE_MEDIA_TYPE } from "../verify/formats/dsse-envelope.ts";
import { embedLayer } from "../verify/formats/oci-layer.ts";
import { readListed } from "./artifact-manifest.ts";
import type { Ask } from "./ask.ts";
import type { Credential } from "./credentials.ts";
import { type Found, isAbout, MAX_PIECE } from "./found.ts";
import { EVIDENCE_TYPES, referrersOf } from "./oci-referrers.ts";
import { openRepository, type Repository } from "./oci-repository.ts";
import type { Reference } from "./reference.ts";

type OciReference = Extract<Reference, { case: "oci" }>;

/** Platforms of one index whose manifests are fetched. */
const MOST_NESTED = 32;

/** The digest that a registry has under a tag. Throws `not-found`. */
export async function resolveOci(
  reference: OciReference,
  ask: Ask,
  credential?: Credential,
): Promise<Digest> {
  if (reference.digest !== undefined) return reference.digest;
  const found = await openRepository(reference, ask, credential).manifest(reference.tag ?? "latest");
  if (found !== undefined) return found.digest;
  throw new VouchsafeError("not-found", `${reference.host} has no such image, or shows it to others only`);
}

/**
 * What an OCI registry has about a digest of one of its repositories: manifests, and the evidence that refers to it, by
 * the referrers API, the fallback's tag (distribution-spec v1.1, "Listing Referrers") and the tag of cosign up to 2.
 * Where the reference names an index that holds the digest, evidence about that index is too.
 */
export async function* discoverInOci(
  digest: Digest,
  reference: OciReference,
  ask: Ask,
  credential?: Credential,
): AsyncGenerator<Found> {
  const repository = openRepository(reference, ask, credential);
  const place = `oci://${reference.host}/${reference.repository}`;
  const subjects = [digest];

  const own = await repository.manifest(digest);
  if (own !== undefined) yield* manifestsIn(repository, place, own);
  const named = reference.tag ?? reference.digest;
  const holder = named === undefined || named === digest ? undefined : await repository.manifest(named);
  if (holder !== undefined && holder.digest !== digest) {
    const manifest = orUndefined(() => parseManifest(holder.bytes));
    if (manifest?.contains.includes(digest)) {
      subjects.push(holder.digest);
      yield { case: "manifest", bytes: holder.bytes, from: `${place}@${holder.digest}` };
    }
  }

  for (const subject of subjects) {
    const about = new Set([subject]);
    for await (const found of evidenceAbout(repository, place, subject))
      if (isAbout(found.bytes, about)) yield found;
  }
}

/** A manifest, and of an index those that it names: evidence about the index then reaches what they hold. */
async function* manifestsIn(
  repository: Repository,
  place: string,
  { digest, bytes }: { readonly digest: Digest; readonly bytes: Uint8Array },
): AsyncGenerator<Found> {
  const manifest = orUndefined(() => parseManifest(bytes));
  if (manifest === undefined || manifest.contains.length === 0) return;
  yield { case: "manifest", bytes, from: `${place}@${digest}` };
  for (const nested of manifest.nested.slice(0, MOST_NESTED)) {
    const found = await repository.manifest(nested);
    const holds = found === undefined ? undefined : orUndefined(() => parseManifest(found.bytes));
    if (found !== undefined && holds !== undefined && holds.contains.length > 0)
      yield { case: "manifest", bytes: found.bytes, from: `${place}@${nested}` };
  }
}

async function* evidenceAbout(repository: Repository, place: string, subject: Digest): AsyncGenerator<Found> {
  for await (const referrer of referrersOf(repository, subject)) {
    const manifest = await repository.manifest(referrer);
    const listed = manifest === undefined ? undefined : readListed(manifest.bytes);
    if (listed?.subject !== subject) continue;
    for (const { digest, mediaType, size, json } of listed.descriptors) {
      if (!EVIDENCE_TYPES.includes(mediaType) || size > MAX_PIECE) continue;
      const bytes = await repository.blob(digest, MAX_PIECE);
      if (bytes === undefined) continue;
      const isCosigns = mediaType === ENVELOPE_MEDIA_TYPE && json.annotations !== undefined;
      yield {
        case: "evidence",
        bytes: isCosigns ? embedLayer(json, bytes) : bytes,
        from: `${place}@${digest}`,
      };
    }
  }
  yield* attachedByCosign(repository, place, subject);
}

/** sigstore/cosign specs/ATTESTATION_SPEC.md: envelopes as layers of a manifest at a tag that names the image. */
async function* attachedByCosign(
  repository: Repository,
  place: string,
  subject: Digest,
): AsyncGenerator<Found> {
  const manifest = await repository.manifest(`${subject.replace(":", "-")}.att`);
  for (const { digest, mediaType, size, json } of readListed(manifest?.bytes ?? new Uint8Array(0))
    ?.descriptors ?? []) {
    if (mediaType !== ENVELOPE_MEDIA_TYPE || size > MAX_PIECE) continue;
    const bytes = await repository.blob(digest, MAX_PIECE);
    if (bytes !== undefined)
      yield { case: "evidence", bytes: embedLayer(json, bytes), from: `${place}@${digest}` };
  }
}
