import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import type { TestNode } from "../../http/node.ts";
import { signRelease } from "../../http/release.ts";
import { rekorAnswer, serveSearch } from "../../sigstore/rekor-search.ts";
import type { Service } from "../../sigstore/service.ts";
import { bytesOf } from "../../verify/envelopes.ts";
import { legacyEnvelope } from "../../verify/formats/same-signature.ts";
import { type BundleJson, parseBundle } from "../../verify/signed-bundles.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../release-node.ts";

let house: ReleaseHouse;
let bundle: BundleJson;
let log: Service;
before(async () => {
  house = await openReleaseHouse();
  bundle = parseBundle((await signRelease(house.sigstore)).bundle);
  log = await logThatKnows(bundle);
});
after(async () => {
  await log.close();
  await house.close();
});

async function logThatKnows({ dsseEnvelope, verificationMaterial }: BundleJson): Promise<Service> {
  const [entry] = verificationMaterial.tlogEntries as unknown as { canonicalizedBody: string }[];
  const body = Buffer.from(entry?.canonicalizedBody ?? "", "base64");
  const answer = await rekorAnswer(house.sigstore.rekorUrl, body);
  return serveSearch(Buffer.from(dsseEnvelope.payload, "base64"), [answer]);
}

const push = (node: TestNode, document: unknown) =>
  pushAttestation(node.v, callerWith(node, ["uploader"]), { bytes: bytesOf(document) });

test("an envelope with a certificate is taken with what the log knows, where a log may be asked", async () => {
  const node = await house.open({ VOUCHSAFE_REKOR_URL: log.url });
  const { attestation, created } = await push(node, legacyEnvelope(bundle));
  assert.ok(created);
  assert.equal(attestation.mediaType, "application/vnd.dev.sigstore.bundle.v0.3+json");
  const again = await push(node, legacyEnvelope(bundle));
  assert.equal(again.created, false);
  assert.equal(again.attestation.id, attestation.id);
});

test("what the log does not know, and what nobody may ask about, is refused for want of a time", async () => {
  const asking = await house.open({ VOUCHSAFE_REKOR_URL: log.url });
  const other = parseBundle((await signRelease(house.sigstore)).bundle);
  await assert.rejects(push(asking, legacyEnvelope(other)), { code: "time-unverified" });
  const silent = await house.open();
  await assert.rejects(push(silent, legacyEnvelope(bundle)), { code: "time-unverified" });
});

test("a log that is away refuses nothing: an envelope that needs it may be sent again, others need it not", async () => {
  const node = await house.open({ VOUCHSAFE_REKOR_URL: "http://127.0.0.1:1" });
  await assert.rejects(push(node, legacyEnvelope(bundle)), { code: "unavailable" });
  assert.ok((await push(node, bundle)).created);
});
