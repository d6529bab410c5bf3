import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { sha256 } from "../../src/in-toto-attestation/index.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../support/postgres.ts";
import { openRevocationHouse, type RevocationHouse } from "./revocation-house.ts";

/* What somebody who may push tries, so that revoked evidence counts again. */
describe("evidence that is revoked, and somebody who wants it back", () => {
  let postgres: TestPostgres;
  let house: RevocationHouse;

  before(async () => {
    postgres = await createPostgres();
    house = await openRevocationHouse(postgres);
  });
  after(async () => {
    await house.house.close();
    await postgres.drop();
    await stopPostgres();
  });

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
});
