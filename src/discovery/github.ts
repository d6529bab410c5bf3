import { VouchsafeError } from "../errors.ts";
import {
  canonicalJson,
  type Digest,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
} from "../in-toto-attestation/index.ts";
import { orUndefined } from "../verify/format-errors.ts";
import { type Ask, bytesOf, nextPage, objectOf, type Question } from "./ask.ts";
import type { Credential } from "./credentials.ts";
import { type Found, isAbout, MAX_PIECE } from "./found.ts";
import type { Reference } from "./reference.ts";
import { decodeSnappy } from "./snappy.ts";

type GithubReference = Extract<Reference, { case: "github" }>;

const MOST_PAGES = 4;
const PER_PAGE = 30;

/**
 * What GitHub stores about a digest for a repository, an organisation or a user (docs.github.com, REST API endpoints
 * for artifact attestations). Bundles stand in the answer or, as of its version 2026-03-10, in the storage that it names.
 */
export async function* discoverInGithub(
  digest: Digest,
  { base, owner, repository }: GithubReference,
  ask: Ask,
  credential?: Credential,
): AsyncGenerator<Found> {
  const question: Question = {
    accept: "application/vnd.github+json",
    maxBytes: MAX_PIECE,
    ...(credential !== undefined && { authorization: `Bearer ${credential.password}` }),
  };
  const owners =
    repository === undefined ? [`orgs/${owner}`, `users/${owner}`] : [`repos/${owner}/${repository}`];
  const about = new Set([digest]);
  for (const path of owners) {
    let url: URL | string | undefined = `${base}/${path}/attestations/${digest}?per_page=${PER_PAGE}`;
    let isThere = false;
    for (let pages = 0; url !== undefined && pages < MOST_PAGES; pages += 1) {
      const answer = await ask(url, question);
      const { attestations } = objectOf(answer) ?? {};
      if (!Array.isArray(attestations)) break;
      isThere = true;
      for (const item of attestations) {
        const bytes = await bundleOf(item, ask);
        if (bytes !== undefined && isAbout(bytes, about))
          yield { case: "evidence", bytes, from: `${base}/${path}/attestations/${digest}` };
      }
      url = nextPage(answer, new URL(base).origin);
    }
    if (isThere) return;
  }
}

/** A bundle in canonical JSON, so that it is one piece of evidence however it came. */
async function bundleOf(item: JsonValue, ask: Ask): Promise<Uint8Array | undefined> {
  const { bundle, bundle_url } = isJsonObject(item) ? item : {};
  if (isJsonObject(bundle)) return written(bundle);
  if (typeof bundle_url !== "string") return undefined;
  // Its query is what lets everybody read: no credentials go there.
  const answer = await ask(bundle_url, { accept: "*/*", maxBytes: MAX_PIECE });
  const stored = bytesOf(answer);
  if (stored === undefined) return undefined;
  const isSnappy = answer.mediaType === "application/x-snappy" || stored[0] !== 0x7b;
  const json = orUndefined(() =>
    parseJson(isSnappy ? decodeSnappy(stored, MAX_PIECE) : stored, { maxBytes: MAX_PIECE }),
  );
  if (!isJsonObject(json))
    throw new VouchsafeError("outbound-failed", `${answer.url.host} stores no bundle there`);
  return written(json);
}

function written(bundle: JsonObject): Uint8Array {
  return Buffer.from(canonicalJson(bundle));
}
