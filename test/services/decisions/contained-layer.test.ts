import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import type { Digest } from "../../../src/in-toto-attestation/types.ts";
import { verifyDigest } from "../../../src/services/decisions/verify-digest.ts";
import { pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import { recordContainment } from "../../../src/services/evidence/record-containment.ts";
import type { TestNode } from "../../http/node.ts";
import { slsaProvenance } from "../../sigstore/provenance.ts";
import { anImage } from "../../support/images.ts";
import { packOf } from "../../support/packs.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../release-node.ts";

let postgres: TestPostgres;
let house: ReleaseHouse;
let node: TestNode;
before(async () => {
  postgres = await createPostgres();
  house = await openReleaseHouse(postgres);
  node = await house.open();
});
after(async () => {
  await house.close();
  await postgres.drop();
  await stopPostgres();
});

test("a layer that looks like a manifest holds nothing, and the custody file of what it names tells so too", async () => {
  const operator = callerWith(node, ["operator"], ["release"]);
  const inner = anImage();
  const image = anImage(sha256(inner.manifest));
  const statement = slsaProvenance([{ name: "widget", sha256: image.digest.slice("sha256:".length) }]);
  await pushAttestation(node.v, operator, { bytes: await house.sigstore.signStatement(statement) });
  for (const bytes of [image.index, image.manifest, inner.manifest])
    await recordContainment(node.v, operator, bytes);

  const decisionOn = async (digest: Digest) => (await verifyDigest(node.v, operator, { digest })).decision;
  assert.equal(await decisionOn(sha256(inner.manifest)), "allow");
  assert.equal(await decisionOn(inner.layer), "deny");
  const { checks } = verifyPack(await packOf(node.v, operator, inner.layer), node.v.log.verifierKey);
  assert.deepEqual(
    checks.filter(({ status }) => status === "fails"),
    [],
  );
});
