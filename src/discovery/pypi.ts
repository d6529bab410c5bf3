import { VouchsafeError } from "../errors.ts";
import {
  algorithmOf,
  type Digest,
  digestOf,
  hexOf,
  isJsonObject,
  type JsonValue,
} from "../in-toto-attestation/index.ts";
import { unpackEvidence } from "../verify/formats/unpack.ts";
import { type Ask, bytesOf, objectOf } from "./ask.ts";
import { type Found, isAbout, MAX_PIECE } from "./found.ts";
import type { Reference } from "./reference.ts";
import { isFileOf } from "./subject-name.ts";

type PypiReference = Extract<Reference, { case: "pypi" }>;

/** A file of a project, as its index lists it. */
interface ListedFile {
  readonly filename: string;
  readonly sha256: string;
}

/** Simple repository API, PEP 691. */
const INDEX_TYPE = "application/vnd.pypi.simple.v1+json";
/** Integrity API, PEP 740. */
const INTEGRITY_TYPE = "application/vnd.pypi.integrity.v1+json";
/** Projects with many releases list thousands of files. */
const MAX_INDEX = 8 * 1024 * 1024;

/** sha256 of a file. Throws `not-found`, and `invalid-request` where a version has several and none is named. */
export async function resolvePypi(reference: PypiReference, ask: Ask): Promise<Digest> {
  const files = await filesOf(reference, ask);
  const [only, ...others] = files;
  if (only === undefined)
    throw new VouchsafeError("not-found", `${reference.host} has no such file of ${reference.project}`);
  if (others.length === 0) return digestOf("sha256", only.sha256);
  const names = files.map(({ filename }) => filename).slice(0, 10);
  throw new VouchsafeError(
    "invalid-request",
    `${reference.project} ${reference.version} has ${files.length} files: say which, as pypi:${reference.project}@${reference.version}/${names.join(" or ")}`,
  );
}

/** The provenance of the file of that digest. Throws `subject-mismatch` where the version has none of that digest. */
export async function* discoverInPypi(
  digest: Digest,
  reference: PypiReference,
  ask: Ask,
): AsyncGenerator<Found> {
  const { base, project, version } = reference;
  const file = (await filesOf(reference, ask)).find(
    ({ sha256 }) => algorithmOf(digest) === "sha256" && sha256 === hexOf(digest),
  );
  if (file === undefined)
    throw new VouchsafeError("subject-mismatch", `no file of ${project} ${version} has the digest ${digest}`);
  const url = `${base}/integrity/${project}/${encodeURIComponent(version)}/${encodeURIComponent(file.filename)}/provenance`;
  const bytes = bytesOf(await ask(url, { accept: INTEGRITY_TYPE, maxBytes: MAX_PIECE }));
  const about = new Set([digest]);
  for (const piece of (bytes && unpackEvidence(bytes)) ?? [])
    if (isAbout(piece, about)) yield { case: "evidence", bytes: piece, from: url };
}

async function filesOf({ base, project, version, file }: PypiReference, ask: Ask): Promise<ListedFile[]> {
  const answer = await ask(`${base}/simple/${project}/`, { accept: INDEX_TYPE, maxBytes: MAX_INDEX });
  const { files } = objectOf(answer) ?? {};
  if (!Array.isArray(files)) return [];
  const listed = files.flatMap((item: JsonValue) => fileIn(item) ?? []);
  return listed.filter(({ filename }) =>
    file === undefined ? isFileOf(filename, project, version) : filename === file,
  );
}

function fileIn(item: JsonValue): ListedFile | undefined {
  const { filename, hashes } = isJsonObject(item) ? item : {};
  const sha256 = isJsonObject(hashes) ? hashes.sha256 : undefined;
  if (typeof filename !== "string" || typeof sha256 !== "string") return undefined;
  return /^[0-9a-f]{64}$/.test(sha256) && filename.length <= 256 ? { filename, sha256 } : undefined;
}
