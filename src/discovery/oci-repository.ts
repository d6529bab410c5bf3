import { VouchsafeError } from "../errors.ts";
import { hashBytes } from "../in-toto-attestation/digest.ts";
import {
  algorithmOf,
  type Digest,
  digestOf,
  groundsAllow,
  parseDigest,
  sha256,
} from "../in-toto-attestation/index.ts";
import { MANIFEST_TYPES, MAX_MANIFEST } from "../oci/manifest.ts";
import type { OutboundAnswer } from "../outbound/fetch-outbound.ts";
import { type Ask, bytesOf, MAX_PAGE, objectOf, type Question, unexpected } from "./ask.ts";
import type { Credential } from "./credentials.ts";

/** One repository of a registry (OCI distribution-spec v1.1), read. What has a digest is held against it. */
export interface Repository {
  /** Where all is asked that needs credentials. */
  readonly origin: string;
  /** A manifest by tag or digest; undefined where there is none. */
  manifest(reference: string): Promise<{ readonly digest: Digest; readonly bytes: Uint8Array } | undefined>;
  /** A blob of at most this many bytes. */
  blob(digest: string, maxBytes: number): Promise<Uint8Array | undefined>;
  /** GETs a path below the repository's, or a URL that it gave itself. */
  get(path: string | URL, question: Question): Promise<OutboundAnswer>;
}

const MAX_TOKEN = 64 * 1024;
/** RFC 6750 §2.1. */
const TOKEN = /^[A-Za-z0-9._~+/-]{1,16384}=*$/;

export function openRepository(
  { host, repository }: { readonly host: string; readonly repository: string },
  ask: Ask,
  credential: Credential | undefined,
): Repository {
  const origin = originOf(host);
  let authorization: string | undefined;

  async function get(path: string | URL, question: Question): Promise<OutboundAnswer> {
    const url = typeof path === "string" ? `${origin}/v2/${repository}/${path}` : path;
    const asked = () => ask(url, { ...question, ...(authorization !== undefined && { authorization }) });
    const answer = await asked();
    const challenge = answer.headers["www-authenticate"];
    // An answer from elsewhere challenges for elsewhere.
    if (answer.status !== 401 || challenge === undefined || answer.url.origin !== origin) return answer;
    authorization = await authorize(challenge, answer);
    return authorization === undefined ? answer : asked();
  }

  /** distribution/distribution docs/spec/auth/token.md: what is asked for is to pull from this repository, whatever the challenge says. */
  async function authorize(challenge: string, answer: OutboundAnswer): Promise<string | undefined> {
    if (/^basic\b/i.test(challenge)) return basic(credential);
    const realm = URL.parse(parameter(challenge, "realm") ?? "");
    if (!/^bearer\b/i.test(challenge) || realm === null) return undefined;
    if (realm.protocol !== "https:" && origin.startsWith("https:"))
      throw unexpected(answer, "it wants its token fetched without TLS");
    const service = parameter(challenge, "service");
    if (service !== undefined) realm.searchParams.set("service", service);
    realm.searchParams.set("scope", `repository:${repository}:pull`);
    const known = basic(credential);
    const given = await ask(realm, {
      accept: "application/json",
      maxBytes: MAX_TOKEN,
      ...(known !== undefined && { authorization: known }),
    });
    const { token, access_token } = objectOf(given) ?? {};
    const bearer = token ?? access_token;
    if (typeof bearer !== "string" || !TOKEN.test(bearer)) throw unexpected(given, "it gives no token");
    return `Bearer ${bearer}`;
  }

  return {
    origin,
    get,
    async manifest(reference) {
      const accept = MANIFEST_TYPES.join(", ");
      const answer = await get(`manifests/${reference}`, { accept, maxBytes: MAX_MANIFEST });
      const bytes = bytesOf(answer);
      if (bytes === undefined) return undefined;
      if (!reference.includes(":")) return { digest: sha256(bytes), bytes };
      return { digest: requireDigest(answer, reference, bytes), bytes };
    },
    async blob(digest, maxBytes) {
      const answer = await get(`blobs/${digest}`, { accept: "*/*", maxBytes });
      const bytes = bytesOf(answer);
      if (bytes !== undefined) requireDigest(answer, digest, bytes);
      return bytes;
    },
  };
}

/** As Docker has it: who names this machine means plain http, and Docker Hub's registry has a name of its own. */
function originOf(host: string): string {
  if (host === "docker.io") return "https://registry-1.docker.io";
  const isHere = /^(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]+)?$/.test(host);
  const url = URL.parse(`${isHere ? "http" : "https"}://${host}`);
  if (url === null) throw new VouchsafeError("invalid-request", `${host} is no name of a host`);
  return url.origin;
}

function requireDigest(answer: OutboundAnswer, expected: string, bytes: Uint8Array): Digest {
  const digest = parseDigest(expected);
  if (!groundsAllow(digest)) throw unexpected(answer, "it names something by a digest that can be forged");
  const algorithm = algorithmOf(digest);
  if (digestOf(algorithm, hashBytes(algorithm, bytes).toString("hex")) === digest) return digest;
  throw new VouchsafeError(
    "outbound-failed",
    `${answer.url.host}: it answered with something else than was asked for by digest`,
  );
}

function parameter(challenge: string, name: string): string | undefined {
  return new RegExp(`[ ,]${name}="([^"\\\\]{1,2048})"`, "i").exec(challenge)?.[1];
}

function basic(credential: Credential | undefined): string | undefined {
  if (credential === undefined) return undefined;
  const { username, password } = credential;
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

export const INDEX_QUESTION: Question = {
  accept: "application/vnd.oci.image.index.v1+json",
  maxBytes: MAX_PAGE,
};
