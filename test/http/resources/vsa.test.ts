import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { readConfig } from "../../../src/config/config.ts";
import { openReleaseHouse, type ReleaseHouse } from "../../services/release-node.ts";
import { succeeds } from "../calls.ts";
import { assertDescribed } from "../described.ts";
import { type TestNode, turn } from "../node.ts";
import { signRelease } from "../release.ts";

const ENVELOPE = "application/vnd.dsse.envelope.v1+json";
const ROUTE = "GET /verify-digest";

describe("verification summaries over HTTP", () => {
  let house: ReleaseHouse;
  let node: TestNode;
  let issuer: string;
  let digest: string;
  before(async () => {
    house = await openReleaseHouse();
    node = await house.open();
    issuer = await node.token(["issuer"], { policies: ["release"] });
    const { digest: released, bundle } = await signRelease(house.sigstore);
    digest = released;
    await succeeds(node.app, 201, "POST /attestations", {
      as: await node.token(["uploader"]),
      bytes: bundle,
    });
  });
  after(() => house.close());

  async function ask(accept: string | undefined, about = digest, as = issuer) {
    await turn();
    return node.app.inject({
      url: `/verify-digest?digest=${about}`,
      headers: { authorization: `Bearer ${as}`, ...(accept !== undefined && { accept }) },
    });
  }

  const summaries = [
    ENVELOPE,
    "application/vnd.in-toto+json",
    "application/vnd.in-toto.vsa+dsse",
    "Application/Vnd.In-Toto+JSON; q=0.5",
    `text/html, ${ENVELOPE};q=1.0`,
  ];
  for (const accept of summaries) {
    test(`are answered to Accept: ${accept}`, async () => {
      const answer = await ask(accept);
      assert.equal(answer.statusCode, 200, answer.body);
      assert.equal(answer.headers["content-type"], ENVELOPE);
      assertDescribed(node.app, ROUTE, answer);
      const statement = JSON.parse(Buffer.from(answer.json().payload, "base64").toString());
      assert.equal(answer.headers["vouchsafe-log-size"], `${statement.predicate.vouchsafe_logSize}`);
    });
  }

  const decisions = [
    undefined,
    "*/*",
    "application/*",
    "application/json",
    `${ENVELOPE};q=0`,
    `${ENVELOPE}x`,
  ];
  for (const accept of decisions) {
    test(`are not answered to Accept: ${accept}`, async () => {
      const answer = await ask(accept);
      assert.equal(answer.json().decision, "allow");
      assertDescribed(node.app, ROUTE, answer);
    });
  }

  test("are not answered where the decision is a denial, which is JSON as ever", async () => {
    const answer = await ask(ENVELOPE, `sha256:${"0".repeat(64)}`);
    assert.match(String(answer.headers["content-type"]), /^application\/json/);
    assert.equal(answer.json().decision, "deny");
    assert.equal(answer.headers["vouchsafe-log-size"], `${answer.json().asOf}`);
  });

  test("are not answered to an uploader", async () => {
    const answer = await ask(ENVELOPE, digest, await node.token(["uploader"], { policies: ["release"] }));
    assert.equal(answer.statusCode, 403);
    assert.equal(answer.json().code, "forbidden");
  });

  test("have a key that anybody may read", async () => {
    const answer = await node.app.inject("/vsa/key");
    assert.equal(answer.body, node.v.summaries.key.publicKey);
    assert.match(answer.body, /^-----BEGIN PUBLIC KEY-----\n/);
  });
});

describe("who summaries say that the verifier is", () => {
  const ids: readonly [Record<string, string>, string][] = [
    [{}, "https://vouchsafe.local/log"],
    [{ VOUCHSAFE_ORIGIN: "log.example/v" }, "https://log.example/v"],
    [{ VOUCHSAFE_VERIFIER_ID: "https://acme.example/verifier/v1" }, "https://acme.example/verifier/v1"],
    [{ VOUCHSAFE_VERIFIER_ID: "urn:acme:verifier" }, "urn:acme:verifier"],
  ];
  for (const [settings, expected] of ids) {
    test(expected, () => assert.equal(readConfig(settings).verifierId, expected));
  }

  const wrong: readonly Record<string, string>[] = [
    { VOUCHSAFE_VERIFIER_ID: "acme" },
    { VOUCHSAFE_VERIFIER_ID: "HTTPS://acme.example" },
    { VOUCHSAFE_VERIFIER_ID: "https://Acme.example" },
    { VOUCHSAFE_VERIFIER_ID: "https://acme.example/?a" },
    { VOUCHSAFE_VERIFIER_ID: "https://acme.example/#a" },
    { VOUCHSAFE_VERIFIER_ID: "https://acme.example/a b" },
    { VOUCHSAFE_ORIGIN: "log:name" },
    { VOUCHSAFE_VSA_LIFETIME: "9" },
    { VOUCHSAFE_VSA_LIFETIME: "86401" },
  ];
  for (const settings of wrong) {
    test(`is refused: ${JSON.stringify(settings)}`, () => {
      assert.throws(() => readConfig(settings), { code: "configuration-invalid" });
    });
  }
});
