/** `vouchsafe verify` of what a registry names and has: no server of ours is there. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { UsageError } from "../../../src/cli/usage-error.ts";
import { hasCode } from "../../../src/errors.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import { envelopeKey, signStatement, testResult } from "../../services/signed-envelope.ts";
import { anImage } from "../../support/images.ts";
import { serveLocally } from "../../support/local-server.ts";
import { ENVELOPE, startOciRegistry } from "../../support/oci-registry.ts";
import { type OfflineHouse, openOfflineHouse, tell } from "../offline.ts";

const signer = envelopeKey();
const stranger = envelopeKey();

let house: OfflineHouse;
let key: string[];
before(async () => {
  house = await openOfflineHouse();
  key = [await house.write("signer.pem", signer.pem)];
});
after(() => house.close());

describe("vouchsafe verify oci://…", () => {
  test("asks the registry for digest and evidence, and believes neither", async (t) => {
    const registry = await startOciRegistry(t);
    const image = anImage();
    registry.manifest(image.manifest);
    registry.manifest(image.index, "v1");
    const place = `oci://${registry.host}/${registry.repository}:v1`;
    await assert.rejects(tell(place, { key }), (error) => hasCode(error, "not-found"));

    registry.refer(image.digest, signStatement(testResult(image.digest), stranger.privateKey), ENVELOPE);
    assert.equal((await tell(place, { key })).failed, "signature unknown-key");
    registry.refer(image.digest, signStatement(testResult(image.digest), signer.privateKey), ENVELOPE);
    const { failed, words, report } = await tell(place, { key });
    assert.equal(failed, undefined);
    assert.ok(words.includes(`verified ${place} ${image.digest}`), words);
    assert.deepEqual(report.artifact, { digests: [image.digest], reference: place });
    assert.match(report.evidence.file, /^oci:\/\/|^http/);
  });

  test("of a part of it: what holds it is known by its manifest", async (t) => {
    const registry = await startOciRegistry(t);
    const image = anImage();
    const manifest = registry.manifest(image.manifest);
    registry.manifest(image.index, "v1");
    registry.refer(image.digest, signStatement(testResult(image.digest), signer.privateKey), ENVELOPE);
    const from = [`oci://${registry.host}/${registry.repository}:v1`];
    assert.equal((await tell(manifest, { key, from })).failed, undefined);
  });

  test("beside --bundle the registry says the digest, and nothing else is asked of it", async (t) => {
    const registry = await startOciRegistry(t);
    const image = anImage();
    registry.manifest(image.index, "v1");
    const place = `oci://${registry.host}/${registry.repository}:v1`;
    const good = await house.write("good.json", signStatement(testResult(image.digest), signer.privateKey));
    const other = signStatement(testResult(sha256(Buffer.from("x"))), signer.privateKey);
    const bad = await house.write("bad.json", other);
    assert.equal((await tell(place, { key, bundle: [good] })).failed, undefined);
    assert.equal((await tell(place, { key, bundle: [bad] })).failed, "subject subject-mismatch");
    assert.ok(!registry.asked.some((one) => one.includes("referrers")), registry.asked.join("\n"));
  });

  test("a registry that is away is no answer, and who names no place is told to", async (t) => {
    const host = await serveLocally(t, (_, response) => response.writeHead(500).end());
    await assert.rejects(tell(`oci://${host}/acme/widget:v1`, { key }), (error) =>
      hasCode(error, "outbound-failed"),
    );
    await assert.rejects(tell(sha256(Buffer.from("x")), { key }), (error) => {
      return error instanceof UsageError && /--bundle FILE.*--from/.test(error.message);
    });
    await assert.rejects(tell("oci://", { key }), UsageError);
    await assert.rejects(tell("github:acme/widget", { key }), (error) => hasCode(error, "invalid-request"));
  });
});

describe("vouchsafe verify npm:…", () => {
  const tarball = Buffer.from("a tarball");
  const about = (bytes: Uint8Array) => ({
    ...testResult(sha256(bytes)),
    subject: [{ name: "pkg:npm/widget@1.0.0", digest: { sha512: hash("sha512", bytes) } }],
  });

  test("by the sha512 that the registry has of the version, and the attestations that it has", async (t) => {
    const attestations = (statement: object) => ({
      attestations: [
        {
          predicateType: "https://in-toto.io/attestation/test-result/v0.1",
          bundle: {
            mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
            verificationMaterial: { publicKey: { hint: "" }, tlogEntries: [], timestampVerificationData: {} },
            dsseEnvelope: JSON.parse(Buffer.from(signStatement(statement, signer.privateKey)).toString()),
          },
        },
      ],
    });
    let served = attestations(about(tarball));
    const host = await serveLocally(t, (request, response) => {
      const isAttestations = request.url?.startsWith("/-/npm/v1/attestations/") === true;
      const version = { dist: { integrity: `sha512-${hash("sha512", tarball, "base64")}` } };
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(isAttestations ? served : version));
    });
    const place = `npm:widget@1.0.0?repository_url=http://${host}`;
    assert.equal((await tell(place, { key })).failed, undefined);
    // The registry has another version, or package, pass for this one: its own attestations do not.
    for (const other of ["widget@2.0.0", "gadget@1.0.0", "@acme/widget@1.0.0"])
      assert.equal(
        (await tell(place.replace("widget@1.0.0", other), { key })).failed,
        "statement statement-mismatch",
      );
    const file = await house.write("widget-1.0.0.tgz", tarball);
    assert.equal((await tell(file, { key, from: [place] })).failed, undefined);
    const other = await house.write("other.tgz", "another");
    await assert.rejects(tell(other, { key, from: [place] }), (error) => hasCode(error, "subject-mismatch"));
    served = attestations(about(Buffer.from("another")));
    await assert.rejects(tell(place, { key }), (error) => hasCode(error, "not-found"));
  });
});
