import assert from "node:assert/strict";
import { hash, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { Writer } from "../../../src/custody/writer.ts";
import { artifactsConcerned } from "../../../src/db/revocations.ts";
import { VouchsafeError } from "../../../src/errors.ts";
import { type Digest, sha256 } from "../../../src/in-toto-attestation/index.ts";
import { activateTrust, readTrust } from "../../../src/services/activation/activate-trust.ts";
import { readCustody } from "../../../src/services/custody/read-custody.ts";
import { revokeEvidence } from "../../../src/services/incidents/revocations.ts";
import { slsaProvenance } from "../../sigstore/provenance.ts";
import { agentCaller, fetchX509 } from "../identities/identity-house.ts";
import { envelopeKey, signedEnvelope } from "../signed-envelope.ts";
import { openRevocationHouse, type RevocationHouse, signerOf } from "./revocation-house.ts";

describe("evidence that is revoked, against those who want it back and while much goes on", () => {
  let house: RevocationHouse;

  before(async () => {
    house = await openRevocationHouse();
  });
  after(() => house.close());

  test("does not come back as other bytes around what was signed", async () => {
    const digest = sha256(randomBytes(32));
    const bytes = await house.provenance([digest], { workflow: "respelled" });
    const [before, after] = [" ", "\n"].map((space) => Buffer.concat([bytes, Buffer.from(space)]));
    assert.ok(before && after);
    const { attestation } = await house.push(bytes);
    await house.push(before);
    const target = { attestation: attestation.id };
    const { falls } = await house.preview(target);
    const revoked = await house.revoke(target);
    assert.deepEqual(revoked.falls, falls);
    assert.deepEqual(
      falls.artifacts.map((one) => one.digest),
      [digest],
    );
    assert.equal((await house.ask(digest)).decision, "deny");
    await assert.rejects(house.push(after, house.b), { code: "evidence-revoked" });
    await house.assertHolds(digest);
    await house.withdraw(revoked.id);
    assert.ok(await house.allows(digest));
  });

  test("is recorded as failed though something could not be evaluated on the way", {
    timeout: 30_000,
  }, async () => {
    const build = { workflow: "busy" };
    const { digest } = await house.release(build);
    const { v } = house.a;
    let refused = 0;
    const append: Writer["append"] = async (proposal) => {
      const { events } = proposal;
      if (refused > 0 || !events.some(({ type }) => type === "verdict.failed"))
        return v.writer.append(proposal);
      refused += 1;
      throw new VouchsafeError("unavailable", "others keep changing it");
    };
    const busy = { ...v, writer: { ...v.writer, append } };
    const target = { signer: signerOf(build) };
    const { index } = await revokeEvidence(busy, house.operator(), { target, reason: "leaked" });
    await house.failedAfter(index, digest);
    assert.equal(refused, 1);
  });

  test("is answered in time however many identities rest on it", async (t) => {
    const build = { workflow: "fleet" };
    const { digest } = await house.release(build);
    await fetchX509(house.a, agentCaller(house.a), digest);
    const target = { signer: signerOf(build) };
    assert.ok((await house.preview(target)).falls.complete);
    let now = performance.now();
    const slow = t.mock.method(performance, "now", () => {
      now += 10_000;
      return now;
    });
    const { falls } = await house.preview(target);
    slow.mock.restore();
    assert.deepEqual([falls.totals.identities, falls.complete], [0, false]);
    // Whoever else of this process asks for the time meanwhile has it pass too.
    assert.ok(falls.totals.artifacts <= 1);
  });

  test("does not count again because its key is called something else", async () => {
    const { v } = house.a;
    const { privateKey, pem } = envelopeKey();
    async function trustAs(name: string) {
      const { trust, document } = await readTrust(v, house.operator());
      assert.ok(document);
      const keys = [{ name, publicKey: pem }];
      await activateTrust(v, house.operator(), { document: { ...document, keys }, previous: trust });
    }
    await trustAs("release");
    const [before, after] = [signedEnvelope(privateKey), signedEnvelope(privateKey)];
    await house.push(before.bytes);
    await trustAs("release-2024");
    const { target, id } = await house.revoke({ signer: { key: "release-2024" } });
    assert.ok("signer" in target);
    // Also what was recorded under the name before: it is made anew first, and told.
    const page = { after: undefined, limit: 10 };
    const concerned = await artifactsConcerned(v.database.kysely, v.project, target, page);
    assert.deepEqual(concerned, [before.digest]);
    const types = ["evidence.revoked"] as const;
    const { events } = await readCustody(v, house.operator(), before.digest, { types });
    assert.deepEqual(
      events.map(({ body }) => body.id),
      [id],
    );
    await trustAs("release-2025");
    await assert.rejects(house.push(after.bytes), {
      code: "evidence-revoked",
      extensions: { revocation: id },
    });
    assert.match(JSON.stringify(target), /"keyId":"[0-9a-f]{64}"/);
  });

  test("is told in the custody of the artifact by whichever of its digests it was revoked", async () => {
    const bytes = randomBytes(32);
    const other = randomBytes(32);
    const built = slsaProvenance([
      { name: "widget", bytes },
      { name: "gadget", bytes: other },
    ]);
    const sha512 = hash("sha512", bytes, "hex");
    const subject = built.subject.map((one, i) =>
      i === 0 ? { ...one, digest: { ...one.digest, sha512 } } : one,
    );
    await house.push(await house.house.sigstore.signStatement({ ...built, subject }));
    const { id } = await house.revoke({ artifact: `sha512:${sha512}` });
    const types = ["evidence.revoked"] as const;
    const told = async (digest: Digest) =>
      (await readCustody(house.a.v, house.operator(), digest, { types })).events.map(({ body }) => body.id);
    assert.deepEqual(await told(sha256(bytes)), [id]);
    assert.deepEqual(await told(sha256(other)), []);
    await house.withdraw(id);
  });
});
