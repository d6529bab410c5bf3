import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { joinWith } from "../../../src/cli/evidence/joined-evidence.ts";
import { verifyEvidence } from "../../../src/verify/verify-evidence.ts";
import { rekorAnswer, serveSearch } from "../../sigstore/rekor-search.ts";
import { serve } from "../../sigstore/service.ts";
import { bytesOf } from "../../verify/envelopes.ts";
import { layerDescriptor, legacyEnvelope } from "../../verify/formats/same-signature.ts";
import { NOW, type SignedBundles, signBundles } from "../../verify/signed-bundles.ts";

let signed: SignedBundles;
let directory: string;
before(async () => {
  signed = await signBundles();
  directory = await mkdtemp(join(tmpdir(), "joined-"));
});
after(async () => {
  await signed.sigstore.close();
  await rm(directory, { recursive: true });
});

async function file(name: string, content: unknown): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, JSON.stringify(content));
  return path;
}

const legacy = () => bytesOf(legacyEnvelope(signed.provenance));
const verifies = (bytes: Uint8Array) =>
  verifyEvidence(bytes, signed.trust, NOW).findings.logEntries.length === 1;
const answer = () => {
  const [entry] = signed.provenance.verificationMaterial.tlogEntries as unknown as {
    canonicalizedBody: string;
  }[];
  return rekorAnswer(signed.sigstore.rekorUrl, Buffer.from(entry?.canonicalizedBody ?? "", "base64"));
};

test("without options a file is pushed as it is", async () => {
  const bytes = Buffer.from("anything");
  assert.equal(await (await joinWith({}))("file", bytes), bytes);
});

test("an OCI layer is joined with its descriptor, found by its digest in the manifest or alone", async () => {
  const envelope = bytesOf(signed.provenance.dsseEnvelope);
  const descriptor = layerDescriptor(signed.provenance, envelope);
  const other = { ...descriptor, digest: `sha256:${"0".repeat(64)}` };
  const manifest = await file("manifest.json", { schemaVersion: 2, layers: [other, descriptor] });
  for (const ociManifest of [manifest, await file("layer.json", descriptor)]) {
    assert.ok(verifies(await (await joinWith({ ociManifest }))("envelope", envelope)));
  }
  const joinLayer = await joinWith({ ociManifest: manifest });
  await assert.rejects(joinLayer("other", Buffer.from("{}")), { name: "UsageError" });
  for (const document of [{}, [], { layers: {} }]) {
    await assert.rejects(joinWith({ ociManifest: await file("no-manifest.json", document) }), {
      name: "UsageError",
    });
  }
});

test("an envelope is joined with the log entries that are given", async () => {
  const given = await joinWith({ rekorEntry: [await file("entry.json", await answer())] });
  assert.ok(verifies(await given("envelope", legacy())));
  const none = await joinWith({ rekorEntry: [await file("none.json", {})] });
  await assert.rejects(none("envelope", legacy()), { name: "UsageError" });
});

test("an envelope is joined with what the log finds by its payload; without a find it is pushed as it is", async () => {
  const payload = Buffer.from(signed.provenance.dsseEnvelope.payload, "base64");
  await using log = closing(await serveSearch(payload, [(await answer()) as Record<string, object>]));
  assert.ok(verifies(await (await joinWith({ rekorUrl: log.url }))("envelope", legacy())));

  await using empty = closing(await serveSearch(Buffer.from("another payload"), []));
  assert.deepEqual(await (await joinWith({ rekorUrl: empty.url }))("envelope", legacy()), legacy());
});

const strangers = {
  "no JSON": { statusCode: 200, response: "<html>" },
  "an object": { statusCode: 200, response: "{}" },
  "paths for uuids": { statusCode: 200, response: '["../../secret"]' },
  "an error": { statusCode: 500, response: "[]" },
  "too much": { statusCode: 200, response: `["${"0".repeat(9 * 1024 * 1024)}"]` },
};
for (const [name, reply] of Object.entries(strangers)) {
  test(`a log that answers with ${name} is not believed to be one`, async () => {
    await using stranger = closing(await serve(() => Promise.resolve(reply)));
    const joinFound = await joinWith({ rekorUrl: stranger.url });
    await assert.rejects(joinFound("envelope", legacy()), { code: "unavailable" });
  });
}

test("what cannot be searched for is refused before the log is asked", async () => {
  const joinFound = await joinWith({ rekorUrl: "http://127.0.0.1:1" });
  await assert.rejects(joinFound("file", Buffer.from("no envelope")), { code: "malformed-json" });
  await assert.rejects(joinFound("envelope", legacy()), { code: "unavailable" });
  await assert.rejects(joinWith({ ociManifest: "m", rekorUrl: "http://127.0.0.1:1" }), {
    name: "UsageError",
  });
});

function closing<T extends { close(): Promise<void> }>(service: T) {
  return { ...service, [Symbol.asyncDispose]: () => service.close() };
}
