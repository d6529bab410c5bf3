import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { readConfig } from "../../../src/config/config.ts";
import type { ProjectId } from "../../../src/custody/events.ts";
import { sha256 } from "../../../src/in-toto-attestation/index.ts";
import type { SecondOpinionOptions } from "../../../src/services/verification/second-opinion.ts";
import { createVerifier } from "../../../src/services/verification/verifier.ts";
import { createTrust, type TrustSnapshot } from "../../../src/trust/snapshot.ts";
import { type Sigstore, startSigstore } from "../../sigstore/instance.ts";
import { slsaProvenance } from "../../sigstore/provenance.ts";
import { bytesOf, envelope, SIGNERS, trustedKey } from "../../verify/envelopes.ts";
import { artifact, NOW, parseBundle, withEntry } from "../../verify/signed-bundles.ts";

const PROJECT = "p" as ProjectId;

let sigstore: Sigstore;
let trust: TrustSnapshot;
/** Both accept it. */
let honest: Buffer;
/** Of half a second past one: @sigstore/core cannot read a fraction whose last digits are dropped zeros, as DER has them. */
let libraryRefuses: Buffer;
/** Its entry is proven at another index than it says, which the library does not compare. */
let weRefuse: Buffer;

before(async () => {
  let past = 0;
  sigstore = await startSigstore({ tiles: true, tsa: () => Math.ceil(Date.now() / 1000) * 1000 + past });
  trust = createTrust({
    sigstore: [{ name: "local", trustedRoot: sigstore.trustedRoot }],
    keys: SIGNERS.slice(0, 1).map((signer) => trustedKey(signer)),
  });
  const sign = async () =>
    Buffer.from(
      await sigstore.signStatement(slsaProvenance([artifact]), { witnesses: ["rekor-tiles", "tsa"] }),
    );
  honest = await sign();
  past = 500;
  libraryRefuses = await sign();
  past = 0;
  const moved = parseBundle(honest);
  withEntry(moved, { logIndex: "41" });
  weRefuse = bytesOf(moved);
});
after(() => sigstore.close());

/** What comes of it: "verified" or a code, and what was reported meanwhile. */
async function verify(mode: SecondOpinionOptions["mode"], bytes: Uint8Array, under = trust) {
  const reports: string[] = [];
  const verifier = createVerifier({ mode, report: (problem) => void reports.push(problem) });
  const answer = await verifier.verify(PROJECT, bytes, under, NOW).then(
    () => "verified",
    (error) => error.code,
  );
  return { answer, reports };
}

describe("a second opinion", () => {
  test("that confirms ours changes nothing", async () => {
    for (const mode of ["off", "report", "require"] as const) {
      assert.deepEqual(await verify(mode, honest), { answer: "verified", reports: [] });
    }
  });

  test("that is not asked for says nothing", async () => {
    assert.deepEqual(await verify("off", libraryRefuses), { answer: "verified", reports: [] });
    assert.deepEqual(await verify("off", weRefuse), { answer: "log-entry-invalid", reports: [] });
  });

  test("that refuses what we accept is reported, and refuses where it must agree", async () => {
    const problem = `@sigstore/verify refuses ${sha256(libraryRefuses)}, which verifies here: invalid time`;
    assert.deepEqual(await verify("report", libraryRefuses), { answer: "verified", reports: [problem] });
    assert.deepEqual(await verify("require", libraryRefuses), {
      answer: "second-opinion-refused",
      reports: [problem],
    });
  });

  test("that accepts what we refuse is reported, and never accepts it", async () => {
    const problem = `@sigstore/verify accepts ${sha256(weRefuse)}, which is refused here (log-entry-invalid)`;
    for (const mode of ["report", "require"] as const) {
      assert.deepEqual(await verify(mode, weRefuse), { answer: "log-entry-invalid", reports: [problem] });
    }
  });

  test("says nothing of what is signed, and is not asked about what our reader refuses", async () => {
    const text = await sigstore.signPayload(Buffer.from("{}"), "application/vnd.in-toto+json", {
      witnesses: ["rekor", "tsa"],
    });
    assert.deepEqual(await verify("report", text), { answer: "malformed-statement", reports: [] });
    const more = bytesOf({ ...parseBundle(honest), more: "members" });
    assert.deepEqual(await verify("report", more), { answer: "malformed-bundle", reports: [] });
  });

  test("on what the library cannot judge is no disagreement, and none where it must agree", async () => {
    const keyed = bytesOf(envelope(SIGNERS.slice(0, 1)));
    assert.deepEqual(await verify("report", keyed), { answer: "verified", reports: [] });
    assert.deepEqual(await verify("require", keyed), { answer: "second-opinion-refused", reports: [] });
  });

  test("is asked about the signature of a message and of a key too", async () => {
    const blob = await sigstore.signBlob(artifact.bytes);
    assert.deepEqual(await verify("require", blob), { answer: "verified", reports: [] });
    const [signer] = SIGNERS;
    assert.ok(signer);
    const keyed = bytesOf({
      mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
      verificationMaterial: { publicKey: { hint: "any" }, tlogEntries: [] },
      dsseEnvelope: envelope([signer]),
    });
    assert.deepEqual(await verify("require", keyed), { answer: "verified", reports: [] });
  });
});

test("the setting is off by default, and one of three", () => {
  assert.equal(readConfig({}).secondOpinion, "off");
  assert.equal(readConfig({ SECOND_OPINION: "require" }).secondOpinion, "require");
  assert.throws(() => readConfig({ SECOND_OPINION: "yes" }), { code: "configuration-invalid" });
});
