import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dockerCredentials, NO_CREDENTIALS } from "../../src/discovery/credentials.ts";
import { type Discovered, discover, resolveReference } from "../../src/discovery/discover.ts";
import { parseReference } from "../../src/discovery/reference.ts";
import { hasCode } from "../../src/errors.ts";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import type { Digest } from "../../src/in-toto-attestation/types.ts";
import { readOutboundRules } from "../../src/outbound/rules.ts";
import { envelopeKey, signStatement, testResult } from "../services/signed-envelope.ts";
import { anImage } from "../support/images.ts";
import { ENVELOPE, type OciRegistry, startOciRegistry } from "../support/oci-registry.ts";

const options = { rules: readOutboundRules(["127.0.0.0/8"]).rules, credentials: NO_CREDENTIALS };
const { privateKey } = envelopeKey();
const about = (digest: Digest, name = "widget") => signStatement(testResult(digest, name), privateKey);

async function find(registry: OciRegistry, digest: Digest, suffix = ""): Promise<Discovered> {
  return discover(digest, parseReference(`oci://${registry.host}/${registry.repository}${suffix}`), options);
}

function idsOf({ found, trouble }: Discovered): { evidence: Digest[]; manifests: Digest[] } {
  assert.equal(trouble, undefined);
  const of = (kind: string) => found.filter((one) => one.case === kind).map(({ bytes }) => sha256(bytes));
  return { evidence: of("evidence"), manifests: of("manifest") };
}

describe("discovery in a registry", () => {
  for (const referrers of ["api", "unfiltered", "tag"] as const)
    test(`finds what refers to a digest: ${referrers}`, async (t) => {
      const registry = await startOciRegistry(t, { referrers, page: 2 });
      const image = anImage();
      registry.manifest(image.index, "v1");
      registry.manifest(image.manifest);
      const pieces = ["a", "b", "c", "d", "e"].map((name) => about(image.digest, name));
      for (const piece of pieces) registry.refer(image.digest, piece, ENVELOPE);
      registry.refer(image.digest, Buffer.from("{}"), "application/spdx+json");
      const found = idsOf(await find(registry, image.digest));
      assert.deepEqual(found.evidence.toSorted(), pieces.map((piece) => sha256(piece)).toSorted());
      assert.deepEqual(found.manifests, [image.digest, sha256(image.manifest)]);
      assert.equal(
        await resolveReference(parseReference(`oci://${registry.host}/acme/widget:v1`), options),
        image.digest,
      );
      assert.equal(
        registry.asked.filter((line) => line.includes(`/referrers/`)).length,
        { api: 5, unfiltered: 3, tag: 1 }[referrers],
        "as many as it has pages",
      );
    });

  test("finds what cosign attached at a tag, with the layer's annotations", async (t) => {
    const registry = await startOciRegistry(t);
    const image = anImage();
    registry.attach(image.digest, [about(image.digest, "a"), about(image.digest, "b")]);
    const { found } = await find(registry, image.digest);
    assert.equal(found.length, 2);
    for (const { bytes } of found) {
      const layer = JSON.parse(Buffer.from(bytes).toString());
      assert.equal(layer.annotations.predicateType, "x");
      assert.equal(sha256(Buffer.from(layer.data, "base64")), layer.digest);
    }
  });

  test("finds what is about the index that a tag names, where it holds the digest", async (t) => {
    const registry = await startOciRegistry(t);
    const image = anImage();
    registry.manifest(image.index, "v1");
    const platform = registry.manifest(image.manifest);
    const piece = about(image.digest);
    registry.refer(image.digest, piece, ENVELOPE);
    const found = idsOf(await find(registry, platform, ":v1"));
    assert.deepEqual(found.evidence, [sha256(piece)]);
    assert.deepEqual(found.manifests, [platform, image.digest]);
    assert.deepEqual(idsOf(await find(registry, platform)).evidence, [], "no tag names the index");

    const other = anImage();
    registry.manifest(other.index, "v2");
    registry.refer(other.digest, about(other.digest), ENVELOPE);
    assert.deepEqual(idsOf(await find(registry, platform, ":v2")), { evidence: [], manifests: [platform] });
  });

  test("a token is fetched for this repository, with credentials where there are some", async (t) => {
    const anonymous = await startOciRegistry(t, { auth: {} });
    const image = anImage();
    const piece = about(image.digest);
    anonymous.refer(image.digest, piece, ENVELOPE);
    assert.deepEqual(idsOf(await find(anonymous, image.digest)).evidence, [sha256(piece)]);
    assert.equal(anonymous.asked.filter((line) => line === "GET /token").length, 1);

    const closed = await startOciRegistry(t, { auth: { basic: "user:pass:word" } });
    closed.refer(image.digest, piece, ENVELOPE);
    const { trouble } = await find(closed, image.digest);
    assert.ok(hasCode(trouble, "outbound-failed"));
    const auth = Buffer.from("user:pass:word").toString("base64");
    const config = JSON.stringify({ auths: { [`https://${closed.host}/v1/`]: { auth } } });
    const known = dockerCredentials(Buffer.from(config));
    const reference = parseReference(`oci://${closed.host}/acme/widget`);
    const credentials = async (host: string) => known.get(host);
    assert.deepEqual(idsOf(await discover(image.digest, reference, { ...options, credentials })).evidence, [
      sha256(piece),
    ]);
  });
});

describe("a hostile registry", () => {
  const image = anImage();

  test("gives nothing that is not what was asked for", async (t) => {
    const registry = await startOciRegistry(t, {
      intercept(request, response) {
        if (!request.url?.includes(`/manifests/${image.digest}`)) return false;
        response.writeHead(200).end(anImage().index);
        return true;
      },
    });
    const { found, trouble } = await find(registry, image.digest);
    assert.deepEqual(found, []);
    assert.ok(hasCode(trouble, "outbound-failed"));
  });

  test("gives no blob of another digest", async (t) => {
    const registry = await startOciRegistry(t, {
      intercept(request, response) {
        if (!request.url?.includes("/blobs/")) return false;
        response.writeHead(200).end(about(image.digest, "another"));
        return true;
      },
    });
    registry.refer(image.digest, about(image.digest), ENVELOPE);
    const { found, trouble } = await find(registry, image.digest);
    assert.deepEqual(found, []);
    assert.ok(hasCode(trouble, "outbound-failed"));
  });

  test("lists what refers to something else, or is about something else, in vain", async (t) => {
    const registry = await startOciRegistry(t);
    const other = anImage();
    registry.refer(image.digest, about(other.digest), ENVELOPE);
    registry.refer(image.digest, Buffer.from("{}"), ENVELOPE);
    registry.refer(image.digest, Buffer.from("not even JSON"), ENVELOPE);
    registry.attach(image.digest, [about(other.digest)]);
    const good = about(image.digest);
    registry.refer(image.digest, good, ENVELOPE);
    assert.deepEqual(idsOf(await find(registry, image.digest)).evidence, [sha256(good)]);
  });

  test("cannot pass off by its tag what refers to something else", async (t) => {
    const registry = await startOciRegistry(t, { referrers: "tag" });
    const digest = registry.refer(anImage().digest, about(image.digest), ENVELOPE);
    const listing = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json" };
    const manifests = [{ mediaType: ENVELOPE, artifactType: ENVELOPE, digest, size: 1 }];
    registry.manifest({ ...listing, manifests }, image.digest.replace(":", "-"));
    assert.deepEqual(idsOf(await find(registry, image.digest)).evidence, []);
  });

  test("is not listened to for ever: ten thousand referrers, pages without end", async (t) => {
    const registry = await startOciRegistry(t, {
      intercept(request, response) {
        if (!request.url?.includes("/referrers/")) return false;
        const manifests = Array.from({ length: 10_000 }, (_, i) => ({
          mediaType: "application/vnd.oci.image.manifest.v1+json",
          artifactType: ENVELOPE,
          digest: sha256(`${request.url} ${i}`),
          size: 7,
        }));
        const type = "application/vnd.oci.image.index.v1+json";
        response.writeHead(200, { "content-type": type, link: `<${request.url}0>; rel=next` });
        response.end(JSON.stringify({ schemaVersion: 2, mediaType: type, manifests }));
        return true;
      },
    });
    const { found } = await find(registry, image.digest);
    assert.deepEqual(found, []);
    assert.ok(registry.asked.length < 200, String(registry.asked.length));
  });

  test("has no token fetched from where nobody may go, and no credentials sent along pages", async (t) => {
    const inside = await startOciRegistry(t, { auth: { realm: "https://169.254.169.254/token" } });
    assert.ok(hasCode((await find(inside, image.digest)).trouble, "outbound-refused"));

    const elsewhere = await startOciRegistry(t);
    const registry = await startOciRegistry(t, {
      auth: {},
      intercept(request, response) {
        if (!request.url?.includes("/referrers/") || request.headers.authorization === undefined)
          return false;
        const type = "application/vnd.oci.image.index.v1+json";
        response.writeHead(200, {
          "content-type": type,
          link: `<http://${elsewhere.host}/steal>; rel="next"`,
        });
        response.end(JSON.stringify({ schemaVersion: 2, mediaType: type, manifests: [] }));
        return true;
      },
    });
    await find(registry, image.digest);
    assert.deepEqual(elsewhere.asked, []);
  });

  test("is left when its time is over, with what was found until then", async (t) => {
    const registry = await startOciRegistry(t, {
      intercept: (request) => request.url?.endsWith(".att") ?? false,
    });
    registry.refer(image.digest, about(image.digest), ENVELOPE);
    const reference = parseReference(`oci://${registry.host}/${registry.repository}`);
    const { found, trouble } = await discover(image.digest, reference, { ...options, time: 2000 });
    assert.equal(found.length, 1);
    assert.ok(hasCode(trouble, "outbound-failed"));
  });

  test("gives up to 64 pieces, and says that there are more", async (t) => {
    const registry = await startOciRegistry(t);
    for (let i = 0; i < 60; i++) registry.refer(image.digest, about(image.digest, `a${i}`), ENVELOPE);
    registry.attach(
      image.digest,
      Array.from({ length: 10 }, (_, i) => about(image.digest, `b${i}`)),
    );
    const { found, trouble } = await find(registry, image.digest);
    assert.equal(found.length, 64);
    assert.ok(hasCode(trouble, "too-many-items"));
  });
});
