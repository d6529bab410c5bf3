import type { IncomingMessage, ServerResponse } from "node:http";
import type { TestContext } from "node:test";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import type { Digest } from "../../src/in-toto-attestation/types.ts";
import { serveLocally } from "./local-server.ts";

const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json";
export const ENVELOPE = "application/vnd.dsse.envelope.v1+json";

export interface RegistryOptions {
  /** `api` filters by type; `unfiltered` does not, and mistakes the type, as go-containerregistry does; `tag` has no referrers API and redirects readers to a page for people. */
  readonly referrers?: "api" | "unfiltered" | "tag";
  /** Referrers a page. */
  readonly page?: number;
  /** Whoever pulls needs a token, which these get; the realm is the registry's own unless it is said. */
  readonly auth?: { readonly basic?: string; readonly realm?: string };
  /** Answers in the place of the registry where it returns true. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

interface Stored {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

/** A registry of one repository that is read by distribution-spec v1.1, and filled from within. */
export interface OciRegistry {
  readonly host: string;
  readonly repository: string;
  /** What was asked, as `METHOD path`, in order. */
  readonly asked: string[];
  blob(bytes: Uint8Array): Digest;
  manifest(content: object | Uint8Array, tag?: string): Digest;
  /** Evidence that refers to the subject as cosign 3 and GitHub attach it. */
  refer(subject: Digest, evidence: Uint8Array, type?: string): Digest;
  /** Evidence at a tag of its own, as cosign attached it up to 2. */
  attach(subject: Digest, envelopes: readonly Uint8Array[]): void;
}

export async function startOciRegistry(
  t: Pick<TestContext, "after">,
  options: RegistryOptions = {},
): Promise<OciRegistry> {
  const { referrers = "api", page = 100, auth, intercept } = options;
  const repository = "acme/widget";
  const blobs = new Map<string, Stored>();
  const manifests = new Map<string, Stored>();
  const asked: string[] = [];

  const host = await serveLocally(t, (request, response) => {
    const url = new URL(request.url ?? "/", "http://registry");
    asked.push(`${request.method} ${url.pathname}`);
    if (intercept?.(request, response)) return;
    if (url.pathname === "/token") return giveToken(request, response, url);
    if (auth !== undefined && request.headers.authorization !== "Bearer pull-token") {
      const realm = auth.realm ?? `http://${host}/token`;
      const challenge = `Bearer realm="${realm}",service="registry",scope="repository:other:push"`;
      return void response.writeHead(401, { "www-authenticate": challenge }).end("{}");
    }
    const [, kind, reference = ""] = new RegExp(`^/v2/${repository}/([a-z]+)/(.+)$`).exec(url.pathname) ?? [];
    if (kind === "referrers" && referrers === "tag")
      return void response.writeHead(303, { location: "/a-page-for-people" }).end();
    if (kind === "referrers") return list(response, reference, url);
    const stored = kind === "blobs" ? blobs.get(reference) : manifests.get(reference);
    if (url.pathname === "/a-page-for-people")
      return void response.writeHead(200, { "content-type": "text/html" }).end("<html>");
    if (stored === undefined) return void response.writeHead(404).end("{}");
    response.writeHead(200, { "content-type": stored.mediaType }).end(stored.bytes);
  });

  function giveToken(request: IncomingMessage, response: ServerResponse, url: URL): void {
    const wanted =
      auth?.basic === undefined ? undefined : `Basic ${Buffer.from(auth.basic).toString("base64")}`;
    const isRight =
      request.headers.authorization === wanted &&
      url.searchParams.get("scope") === `repository:${repository}:pull` &&
      url.searchParams.get("service") === "registry";
    response.writeHead(isRight ? 200 : 401, { "content-type": "application/json" });
    response.end(JSON.stringify(isRight ? { token: "pull-token" } : {}));
  }

  function list(response: ServerResponse, subject: string, url: URL): void {
    const type = referrers === "api" ? url.searchParams.get("artifactType") : null;
    const all = referrersOf(subject).filter(({ artifactType }) => type === null || artifactType === type);
    const from = Number(url.searchParams.get("from") ?? "0");
    const next = new URLSearchParams({
      ...(type !== null && { artifactType: type }),
      from: String(from + page),
    });
    response.writeHead(200, {
      "content-type": INDEX,
      ...(type !== null && { "oci-filters-applied": "artifactType" }),
      ...(from + page < all.length && { link: `<${url.pathname}?${next}>; rel="next"` }),
    });
    response.end(
      JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: all.slice(from, from + page) }),
    );
  }

  function referrersOf(subject: string) {
    return [...manifests]
      .filter(([name]) => name.includes(":"))
      .map(([digest, { bytes }]) => ({ digest, size: bytes.length, document: JSON.parse(bytes.toString()) }))
      .filter(({ document }) => document.subject?.digest === subject)
      .map(({ digest, size, document }) => ({
        mediaType: MANIFEST,
        digest,
        size,
        artifactType: referrers === "unfiltered" ? document.config.mediaType : document.artifactType,
      }));
  }

  function manifest(content: object | Uint8Array, tag?: string): Digest {
    const bytes = content instanceof Uint8Array ? Buffer.from(content) : Buffer.from(JSON.stringify(content));
    const digest = sha256(bytes);
    const stored = { bytes, mediaType: JSON.parse(bytes.toString()).mediaType };
    manifests.set(digest, stored);
    if (tag !== undefined) manifests.set(tag, stored);
    return digest;
  }

  function layer(bytes: Uint8Array, mediaType: string) {
    return { mediaType, digest: blob(bytes), size: bytes.length };
  }

  function blob(bytes: Uint8Array): Digest {
    const digest = sha256(bytes);
    blobs.set(digest, { bytes: Buffer.from(bytes), mediaType: "application/octet-stream" });
    return digest;
  }

  const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: sha256("{}"), size: 2 };
  return {
    host,
    repository,
    asked,
    blob,
    manifest,
    refer(subject, evidence, type = BUNDLE) {
      const digest = manifest({
        schemaVersion: 2,
        mediaType: MANIFEST,
        artifactType: type,
        config,
        layers: [layer(evidence, type)],
        subject: { mediaType: INDEX, digest: subject, size: 7 },
      });
      if (referrers === "tag")
        manifest(
          { schemaVersion: 2, mediaType: INDEX, manifests: referrersOf(subject) },
          subject.replace(":", "-"),
        );
      return digest;
    },
    attach(subject, envelopes) {
      const layers = envelopes.map((bytes) => ({
        ...layer(bytes, ENVELOPE),
        annotations: { "dev.cosignproject.cosign/signature": "", predicateType: "x" },
      }));
      manifest({ schemaVersion: 2, mediaType: MANIFEST, config, layers }, `${subject.replace(":", "-")}.att`);
    },
  };
}
