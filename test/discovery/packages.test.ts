import assert from "node:assert/strict";
import { hash } from "node:crypto";
import type { RequestListener } from "node:http";
import { describe, type TestContext, test } from "node:test";
import { NO_CREDENTIALS } from "../../src/discovery/credentials.ts";
import { discover, resolveReference } from "../../src/discovery/discover.ts";
import { parseReference } from "../../src/discovery/reference.ts";
import { hasCode } from "../../src/errors.ts";
import { digestOf, sha256 } from "../../src/in-toto-attestation/digest.ts";
import { canonicalJson } from "../../src/in-toto-attestation/json.ts";
import { readOutboundRules } from "../../src/outbound/rules.ts";
import { envelopeKey, signStatement } from "../services/signed-envelope.ts";
import { serveLocally } from "../support/local-server.ts";
import { literalSnappy } from "./snappy-writer.ts";

const options = { rules: readOutboundRules(["127.0.0.0/8"]).rules, credentials: NO_CREDENTIALS };
const { privateKey } = envelopeKey();
const tarball = Buffer.from("a tarball");
const SHA256 = digestOf("sha256", hash("sha256", tarball));
const SHA512 = digestOf("sha512", hash("sha512", tarball));
const PREDICATE = "https://slsa.dev/provenance/v1";

function envelopeAbout(algorithm: string, name = "widget") {
  const digest = { [algorithm]: hash(algorithm, tarball) };
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name, digest }],
    predicateType: PREDICATE,
    predicate: {},
  };
  return JSON.parse(Buffer.from(signStatement(statement, privateKey)).toString());
}

/** A bundle as far as it is read here: by a key, and without any log entry. */
function bundleAbout(algorithm: string, name?: string) {
  return {
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: { publicKey: { hint: "k" }, tlogEntries: [], timestampVerificationData: {} },
    dsseEnvelope: envelopeAbout(algorithm, name),
  };
}

const idOf = (document: object) => sha256(canonicalJson(JSON.parse(JSON.stringify(document))));

/** Serves JSON by path and query; gives the base URL. */
async function serve(t: TestContext, documents: (path: string) => object | undefined): Promise<string> {
  const listener: RequestListener = (request, response) => {
    const document = documents(request.url ?? "");
    response.writeHead(document === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(document ?? { message: "Not Found" }));
  };
  return `http://${await serveLocally(t, listener)}`;
}

describe("npm", () => {
  const integrity = `sha512-${hash("sha512", tarball, "base64")}`;
  const bundle = bundleAbout("sha512", "pkg:npm/%40acme/widget@1.0.0");
  const registry = (t: TestContext) =>
    serve(t, (path) =>
      new Map<string, object>([
        ["/@acme%2fwidget/1.0.0", { dist: { integrity } }],
        ["/old/1.0.0", { dist: { shasum: "0".repeat(40) } }],
        ["/plain/1.0.0", { dist: { integrity: `sha1-${"0".repeat(27)}= ${integrity}` } }],
        [
          "/-/npm/v1/attestations/@acme%2fwidget@1.0.0",
          { attestations: [{ predicateType: PREDICATE, bundle }] },
        ],
      ]).get(path),
    );

  test("gives the attestations of a version", async (t) => {
    const at = `?repository_url=${await registry(t)}`;
    const reference = parseReference(`npm:@acme/widget@1.0.0${at}`);
    assert.equal(await resolveReference(reference, options), SHA512);
    const { found, trouble } = await discover(SHA512, reference, options);
    assert.equal(trouble, undefined);
    assert.deepEqual(
      found.map(({ bytes }) => sha256(bytes)),
      [idOf(bundle)],
    );
    assert.deepEqual(await discover(SHA512, parseReference(`npm:plain@1.0.0${at}`), options), { found: [] });
  });

  test("is not asked about other artifacts, nor believed about their names", async (t) => {
    const at = `?repository_url=${await registry(t)}`;
    const ask = async (digest: typeof SHA512, name: string) =>
      (await discover(digest, parseReference(name + at), options)).trouble;
    const other = digestOf("sha512", hash("sha512", "other"));
    assert.ok(hasCode(await ask(SHA256, "npm:@acme/widget@1.0.0"), "subject-mismatch"));
    assert.ok(hasCode(await ask(other, "npm:@acme/widget@1.0.0"), "subject-mismatch"));
    assert.ok(hasCode(await ask(SHA512, "npm:old@1.0.0"), "outbound-failed"));
    assert.ok(hasCode(await ask(SHA512, "npm:none@1.0.0"), "not-found"));
  });
});

describe("PyPI", () => {
  const attestation = { version: 1, verification_material: { certificate: "", transparency_entries: [] } };
  const files = [
    { filename: "acme_widget-1.0.0.tar.gz", hashes: { sha256: hash("sha256", tarball) } },
    { filename: "acme_widget-1.0.0-py3-none-any.whl", hashes: { sha256: hash("sha256", "a wheel") } },
    { filename: "acme_widget-1.0.0.1.tar.gz", hashes: { sha256: hash("sha256", "another") } },
    { filename: "acme_widget-2.0.0.tar.gz", hashes: { sha256: hash("sha256", "later") } },
    { filename: "acme_widget-2.0.0.zip", hashes: {} },
  ];
  const index = (t: TestContext, seen: string[] = []) =>
    serve(t, (path) => {
      seen.push(path);
      return new Map<string, object>([
        ["/simple/acme-widget/", { meta: { "api-version": "1.3" }, files }],
        [
          "/integrity/acme-widget/1.0.0/acme_widget-1.0.0.tar.gz/provenance",
          {
            version: 1,
            attestation_bundles: [{ publisher: {}, attestations: [attestation, envelopeAbout("sha256")] }],
          },
        ],
      ]).get(path);
    });

  test("gives the provenance of the file of a digest", async (t) => {
    const seen: string[] = [];
    const at = `?repository_url=${await index(t, seen)}`;
    const { found, trouble } = await discover(SHA256, parseReference(`pypi:Acme_Widget@1.0.0${at}`), options);
    assert.equal(trouble, undefined);
    assert.deepEqual(
      found.map(({ bytes }) => sha256(bytes)),
      [idOf(envelopeAbout("sha256"))],
    );
    assert.equal(seen.length, 2);
    const other = await discover(SHA256, parseReference(`pypi:acme.widget@2.0.0${at}`), options);
    assert.ok(hasCode(other.trouble, "subject-mismatch"));
  });

  test("names a file by its version where there is one, and else by its name", async (t) => {
    const at = `?repository_url=${await index(t)}`;
    const resolve = (text: string) => resolveReference(parseReference(text + at), options);
    assert.equal(await resolve("pypi:acme-widget@1.0.0/acme_widget-1.0.0.tar.gz"), SHA256);
    assert.equal(await resolve("pypi:acme-widget@2.0.0"), digestOf("sha256", hash("sha256", "later")));
    await assert.rejects(resolve("pypi:acme-widget@1.0.0"), (error) => hasCode(error, "invalid-request"));
    await assert.rejects(resolve("pypi:acme-widget@3.0.0"), (error) => hasCode(error, "not-found"));
    await assert.rejects(resolve("pypi:nothing@1.0.0"), (error) => hasCode(error, "not-found"));
  });
});

describe("GitHub", () => {
  const bundles = ["a", "b", "c"].map((name) => bundleAbout("sha256", name));

  test("gives what it stores, in its answers or elsewhere, page by page, for a repository or an owner", async (t) => {
    const seen: (string | undefined)[] = [];
    const host = await serveLocally(t, (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "", "http://github");
      if (pathname === "/stored") {
        seen.push(request.headers.authorization);
        const bytes = literalSnappy(Buffer.from(JSON.stringify(bundles[1])));
        return response.writeHead(200, { "content-type": "application/x-snappy" }).end(bytes);
      }
      if (!/^\/(repos\/acme\/widget|users\/acme)\/attestations\/sha256:/.test(pathname))
        return response.writeHead(404).end("{}");
      const isLast = searchParams.get("after") === "x";
      const next = `<http://${host}${pathname}?after=x>; rel="next", <http://${host}/>; rel="last"`;
      const page = isLast
        ? [{ bundle: bundles[2], repository_id: 1 }]
        : [
            { bundle: bundles[0] },
            { bundle: null, bundle_url: `http://${host}/stored?sig=x` },
            { bundle: bundleAbout("sha512") },
          ];
      response.writeHead(200, { "content-type": "application/json", ...(!isLast && { link: next }) });
      response.end(JSON.stringify({ attestations: page }));
    });
    const credentials = async () => ({ username: "x", password: "ghp_secret" });
    for (const name of ["github:acme/widget", "github:acme"]) {
      const reference = parseReference(`${name}?repository_url=http://${host}`);
      const { found, trouble } = await discover(SHA256, reference, { ...options, credentials });
      assert.equal(trouble, undefined);
      assert.deepEqual(
        found.map(({ bytes }) => sha256(bytes)),
        bundles.map(idOf),
      );
    }
    assert.deepEqual(seen, [undefined, undefined], "the storage is not told the token");
    const none = parseReference(`github:acme/other?repository_url=http://${host}`);
    assert.deepEqual(await discover(SHA256, none, options), { found: [] });
  });
});
