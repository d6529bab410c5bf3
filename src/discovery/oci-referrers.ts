import type { Digest } from "../in-toto-attestation/index.ts";
import type { OutboundAnswer } from "../outbound/fetch-outbound.ts";
import { type Descriptor, readListed } from "./artifact-manifest.ts";
import { nextPage, unexpected } from "./ask.ts";
import { INDEX_QUESTION, type Repository } from "./oci-repository.ts";

/** Types of artifacts and of layers that may be evidence: Sigstore bundles, envelopes, and what calls itself in-toto. */
export const EVIDENCE_TYPES: readonly string[] = [
  "application/vnd.dev.sigstore.bundle.v0.3+json",
  "application/vnd.dsse.envelope.v1+json",
  "application/vnd.in-toto+json",
];

/** What registries say that look for an artifact's type in its config, which such artifacts do not have; or nothing. */
const UNTYPED: readonly string[] = ["", "application/vnd.oci.empty.v1+json"];

/** Of one type of artifact. */
const MOST_PAGES = 8;
const MOST_REFERRERS = 64;

/**
 * Digests of the manifests of evidence that refer to the subject: by the referrers API, page by page, or where the
 * registry has none by the tag in its place (distribution-spec v1.1, "Listing Referrers", "Unavailable Referrers API").
 */
export async function* referrersOf(repository: Repository, subject: Digest): AsyncGenerator<string> {
  for (const type of EVIDENCE_TYPES) {
    const path = `referrers/${subject}?artifactType=${encodeURIComponent(type)}`;
    const first = await repository.get(path, INDEX_QUESTION);
    const listed = listedIn(first);
    if (listed === undefined) return yield* referrersByTag(repository, subject);
    const filters = first.headers["oci-filters-applied"];
    const isFiltered = typeof filters === "string" && filters.includes("artifactType");
    yield* bounded(pagesFrom(repository, first), isFiltered ? [type] : [...EVIDENCE_TYPES, ...UNTYPED]);
    // What was not filtered was all there is.
    if (!isFiltered) return;
  }
}

async function* pagesFrom(repository: Repository, first: OutboundAnswer): AsyncGenerator<Descriptor> {
  let page: OutboundAnswer | undefined = first;
  for (let pages = 0; page !== undefined && pages < MOST_PAGES; pages += 1) {
    yield* listedIn(page) ?? [];
    const next = nextPage(page, repository.origin);
    page = next === undefined ? undefined : await repository.get(next, INDEX_QUESTION);
  }
}

async function* bounded(
  descriptors: AsyncIterable<Descriptor>,
  types: readonly string[],
): AsyncGenerator<string> {
  let count = 0;
  for await (const { artifactType, digest } of descriptors) {
    if (!types.includes(artifactType)) continue;
    count += 1;
    if (count > MOST_REFERRERS) return;
    yield digest;
  }
}

/**
 * The index that an answer is; undefined where the registry has no such API, for which some answer 404, some another status,
 * and some send a reader to a page for people.
 */
function listedIn(answer: OutboundAnswer): readonly Descriptor[] | undefined {
  const { status, mediaType, bytes } = answer;
  if (status === 200 && mediaType === INDEX_QUESTION.accept) {
    const listed = readListed(bytes);
    if (listed === undefined) throw unexpected(answer, "its list of referrers is no image index");
    return listed.descriptors;
  }
  if (status === 401 || status === 403 || status === 429 || status >= 500)
    throw unexpected(answer, `it did not list referrers (status ${status})`);
  return undefined;
}

async function* referrersByTag(repository: Repository, subject: Digest): AsyncGenerator<string> {
  const index = await repository.manifest(subject.replace(":", "-"));
  const listed = index === undefined ? undefined : readListed(index.bytes);
  async function* all() {
    yield* listed?.descriptors ?? [];
  }
  yield* bounded(all(), [...EVIDENCE_TYPES, ...UNTYPED]);
}
