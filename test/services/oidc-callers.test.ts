import assert from "node:assert/strict";
import { createHmac, createPublicKey, randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { activatePolicies, readPolicies } from "../../src/services/activate-policies.ts";
import { call, fails, succeeds } from "../http/calls.ts";
import { openNode, type TestNode } from "../http/node.ts";
import { AUDIENCE, accessPolicy, type OidcIssuer, startOidcIssuer } from "../support/oidc-issuer.ts";
import { lendPostgres } from "../support/postgres.ts";
import { callerWith } from "./release-node.ts";

const MINUTE = 60_000;
const WHO = "GET /whoami";

describe("callers that an OIDC issuer knows", () => {
  let postgres: Awaited<ReturnType<typeof lendPostgres>>;
  let node: TestNode;
  let other: TestNode;
  let issuer: OidcIssuer;
  let stranger: OidcIssuer;
  before(async () => {
    postgres = await lendPostgres();
    const settings = { ...postgres.settings, VOUCHSAFE_OUTBOUND_PRIVATE: "127.0.0.1" };
    node = await openNode(settings);
    other = await openNode({ ...settings, VOUCHSAFE_DATA_DIR: node.v.config.dataDir });
    [issuer, stranger] = [await startOidcIssuer(), await startOidcIssuer()];
    await activate(POLICIES());
  });
  after(async () => {
    await other.close();
    await node.close();
    await Promise.all([issuer.close(), stranger.close(), postgres.giveBack()]);
  });

  const POLICIES = () =>
    [
      accessPolicy(issuer.issuer, {
        name: "pipelines",
        rules: `    - claims: { repository: acme/widget, ref: refs/heads/main }
      roles: [uploader, issuer]
    - claims: { repository: "acme/*", ref: refs/heads/main, environment: audit }
      roles: [auditor]`,
      }),
      accessPolicy(issuer.issuer, {
        name: "once",
        oidc: "    once: true",
        rules: `    - claims: { repository: acme/once }
      roles: [uploader]`,
      }),
    ].join("---");

  async function activate(text: string) {
    const operator = callerWith(node, ["operator"]);
    const { policySet: previous } = await readPolicies(node.v, operator);
    await activatePolicies(node.v, operator, { documents: [{ name: "access.yaml", text }], previous });
  }
  const ask = (as: string, on = node) => call(on.app, WHO, { as });
  const refused = async (as: string, code = "unauthenticated") => fails(node.app, code, WHO, { as });

  test("are who the first rule says that takes their claims, under a name that tells who it was", async () => {
    const answer = await succeeds(node.app, 200, WHO, { as: await issuer.token() });
    assert.deepEqual(answer, {
      caller: "oidc:pipelines:repo:acme/widget:ref:refs/heads/main by alice",
      name: "oidc:pipelines:repo:acme/widget:ref:refs/heads/main by alice",
      project: "default",
      roles: ["uploader", "issuer"],
      policies: [],
      mayChoosePolicy: false,
      rule: { policy: "pipelines", number: 1 },
    });
    const audit = { repository: "acme/gadget", environment: "audit" };
    const { roles, rule } = await succeeds(node.app, 200, WHO, { as: await issuer.token(audit) });
    assert.deepEqual([roles, rule.number], [["auditor"], 2]);
  });

  test("may do what their roles may, and no more", async () => {
    await fails(node.app, "forbidden", "GET /tokens", { as: await issuer.token() });
  });

  test("are told what of their own token the nearest rule asks otherwise, and nothing of the rule", async () => {
    const problem = await refused(await issuer.token({ ref: "refs/heads/topic" }), "no-access-rule");
    assert.deepEqual(problem.claims, { ref: "refs/heads/topic" });
    assert.equal(problem.status, 403);
    assert.ok(!JSON.stringify(problem).includes("refs/heads/main"), JSON.stringify(problem));
    const far = await refused(
      await issuer.token({ repository: "evil/widget", ref: undefined }),
      "no-access-rule",
    );
    assert.deepEqual(Object.keys(far.claims), ["repository"]);
  });

  test("are asked for in the project that the request names, whether there is one or not", async () => {
    const authorization = `Bearer ${await issuer.token()}`;
    for (const project of ["payments", "default"]) {
      const answer = await node.app.inject({
        url: "/whoami",
        headers: { authorization, "vouchsafe-project": project },
      });
      assert.equal(answer.statusCode, project === "default" ? 200 : 401, answer.body);
    }
  });

  describe("are refused, whoever", () => {
    const parts = (token: string) => token.split(".") as [string, string, string];
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const now = () => Math.floor(Date.now() / 1000);
    const forged: [what: string, make: () => Promise<string>, why: RegExp][] = [
      [
        "signs nothing (alg none)",
        async () => {
          const [{ kid }] = JSON.parse(issuer.jwks()).keys;
          return `${encode({ alg: "none", typ: "JWT", kid })}.${encode(issuer.claims())}.AA`;
        },
        /algorithm is not its key's/,
      ],
      [
        "signs by the public key as a secret",
        async () => {
          const [{ kid, ...jwk }] = JSON.parse(issuer.jwks()).keys;
          const secret = createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" });
          const signed = `${encode({ alg: "HS256", typ: "JWT", kid })}.${encode(issuer.claims())}`;
          return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
        },
        /signature is not of its key|algorithm is not its key/,
      ],
      ["is of an issuer that no rule names", () => stranger.token(), /No access rule/],
      [
        "is known to another issuer under this one's name",
        () => stranger.token({ iss: issuer.issuer }),
        /its key is not one/,
      ],
      [
        "swaps the key's ID for this issuer's",
        () => {
          const [{ kid }] = JSON.parse(issuer.jwks()).keys;
          return stranger.sign(stranger.claims({ iss: issuer.issuer }), { kid });
        },
        /signature is not of its key/,
      ],
      ["names no key", () => issuer.sign(issuer.claims(), { kid: undefined }), /its key is not one/],
      ["writes the issuer otherwise", () => issuer.token({ iss: `${issuer.issuer}/` }), /No access rule/],
      ["has no issuer", () => issuer.token({ iss: undefined }), /No access rule/],
      [
        "asks for another audience",
        () => issuer.token({ aud: "https://other.example" }),
        /for another audience/,
      ],
      [
        "asks for another audience too",
        () => issuer.token({ aud: [AUDIENCE, "https://other.example"] }),
        /or for several/,
      ],
      ["has no audience", () => issuer.token({ aud: undefined }), /for another audience/],
      ["comes too late", () => issuer.token({ iat: now() - 600, exp: now() - 1 }), /has expired/],
      [
        "comes too early",
        () => issuer.token({ iat: now() + 120, nbf: now() + 120, exp: now() + 300 }),
        /not valid yet/,
      ],
      ["is valid only later", () => issuer.token({ nbf: now() + 120 }), /not valid yet/],
      ["never ends", () => issuer.token({ exp: undefined }), /does not live/],
      ["never began", () => issuer.token({ iat: undefined }), /does not live/],
      ["ends in a year", () => issuer.token({ exp: now() + 31_536_000 }), /does not live/],
      ["ends before it began", () => issuer.token({ iat: now() + 30, exp: now() + 20 }), /does not live/],
      [
        "writes times as texts",
        () => issuer.sign({ ...issuer.claims(), exp: String(now() + 300) } as never),
        /does not live/,
      ],
      ["has no subject", () => issuer.token({ sub: undefined }), /has no subject/],
      ["has an endless subject", () => issuer.token({ sub: "s".repeat(3000) }), /has no subject/],
      [
        "asks for an extension",
        () => issuer.sign(issuer.claims(), { crit: ["exp"], exp: 1 }),
        /asks for an extension/,
      ],
      ["is of another type", () => issuer.sign(issuer.claims(), { typ: "dpop+jwt" }), /type is not JWT/],
      [
        "says a claim twice",
        async () => {
          const [header, payload, signature] = parts(await issuer.token());
          const text = Buffer.from(payload, "base64url")
            .toString()
            .replace("{", '{"iss":"https://other.example",');
          return `${header}.${Buffer.from(text).toString("base64url")}.${signature}`;
        },
        /not a JSON object/,
      ],
      [
        "changes a claim",
        async () => {
          const [header, payload, signature] = parts(await issuer.token({ ref: "refs/heads/topic" }));
          const text = Buffer.from(payload, "base64url")
            .toString()
            .replace("refs/heads/topic", "refs/heads/main");
          return `${header}.${Buffer.from(text).toString("base64url")}.${signature}`;
        },
        /signature is not of its key/,
      ],
      [
        "cuts the signature off",
        async () =>
          parts(await issuer.token())
            .slice(0, 2)
            .join("."),
        /bearer token is unknown/,
      ],
      ["sends five parts", async () => `${await issuer.token()}.AA.AA`, /three parts|bearer token/],
      ["sends more than a token", () => issuer.token({ padding: "p".repeat(9000) }), /Send Authorization/],
      ["sends objects that are none", async () => `${encode([])}.${encode("x")}.AA`, /not a JSON object/],
    ];
    for (const [who, make, why] of forged) {
      test(who, async () => assert.match((await refused(await make())).detail, why));
    }

    test("and the right one is taken still", async () => {
      assert.equal((await ask(await issuer.token())).statusCode, 200);
    });
  });

  test("use a token once on all nodes, where the policy has it so", async () => {
    const token = () => issuer.token({ repository: "acme/once", ref: "refs/heads/x", jti: randomUUID() });
    const [first, second] = [await token(), await token()];
    const answers = await Promise.all([node, other, node, other].map((on) => ask(first, on)));
    assert.deepEqual(answers.map(({ statusCode }) => statusCode).sort(), [200, 401, 401, 401]);
    assert.equal((await ask(second, other)).statusCode, 200);
    await refused(second, "token-replayed");
  });

  test("that are not let in use up nothing", async () => {
    const token = await issuer.token({ repository: "acme/other", ref: "refs/heads/x" });
    for (const _ of [1, 2]) await refused(token, "no-access-rule");
  });

  test("are gone with their rule", async () => {
    const token = await issuer.token();
    assert.equal((await ask(token)).statusCode, 200);
    await activate(POLICIES().replace("ref: refs/heads/main }", "ref: refs/heads/never }"));
    node.advance(6_000);
    await refused(token, "no-access-rule");
    await activate(POLICIES());
  });

  test("are known by the keys of before while their issuer does not answer, and by no others", async () => {
    assert.equal((await ask(await issuer.token())).statusCode, 200);
    issuer.outage(true);
    node.advance(11 * MINUTE);
    const token = () =>
      issuer.token({
        iat: Math.floor(node.v.clock() / 1000) - 1,
        exp: Math.floor(node.v.clock() / 1000) + 300,
      });
    assert.equal((await ask(await token())).statusCode, 200);
    await issuer.rotate();
    node.advance(MINUTE);
    const answer = await ask(await token());
    assert.equal(answer.statusCode, 503);
    assert.ok(Number(answer.headers["retry-after"]) > 0);
    issuer.outage(false);
    node.advance(MINUTE);
    assert.equal((await ask(await token())).statusCode, 200);
  });

  test("are asked for with a new key at once, and no stranger has the issuer asked again and again", async () => {
    const at = () => Math.floor(node.v.clock() / 1000);
    const token = () => issuer.token({ iat: at() - 1, exp: at() + 300 });
    node.advance(MINUTE);
    await issuer.rotate({ keep: false });
    const before = issuer.asked.length;
    assert.equal((await ask(await token())).statusCode, 200);
    assert.equal(issuer.asked.length, before + 2);
    const guesses = Array.from({ length: 20 }, (_, n) => issuer.sign(issuer.claims(), { kid: `guess-${n}` }));
    const answers = await Promise.all((await Promise.all(guesses)).map((one) => ask(one)));
    assert.ok(answers.every(({ statusCode }) => statusCode === 401));
    node.advance(MINUTE);
    await Promise.all(
      [1, 2, 3].map(async (n) => ask(await issuer.sign(issuer.claims(), { kid: `more-${n}` }))),
    );
    assert.equal(issuer.asked.length, before + 4);
    assert.deepEqual(stranger.asked, []);
  });
});
