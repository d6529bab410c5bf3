import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { activatePolicies, readPolicies } from "../../../src/services/activation/activate-policies.ts";
import { call, fails, succeeds } from "../../http/calls.ts";
import { openNode, type TestNode } from "../../http/node.ts";
import { accessPolicy, type OidcIssuer, startOidcIssuer } from "../../support/oidc-issuer.ts";
import { lendPostgres } from "../../support/postgres.ts";
import { callerWith } from "../release-node.ts";
import { FORGED } from "./forged-tokens.ts";

const MINUTE = 60_000;
const WHO = "GET /whoami";
const OWN = "https://vouchsafe.example.com";

describe("callers that an OIDC issuer knows", () => {
  let postgres: Awaited<ReturnType<typeof lendPostgres>>;
  let node: TestNode;
  let other: TestNode;
  let issuer: OidcIssuer;
  let stranger: OidcIssuer;
  before(async () => {
    postgres = await lendPostgres();
    const settings = {
      ...postgres.settings,
      VOUCHSAFE_OUTBOUND_PRIVATE: "127.0.0.1",
      VOUCHSAFE_OIDC_ISSUER: OWN,
    };
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

  test("have in each project the roles of its own rules", async () => {
    const as = await node.token(["operator"]);
    const { token, project } = await succeeds(node.app, 201, "POST /projects", {
      as,
      json: { name: "payments" },
    });
    const text = accessPolicy(issuer.issuer, {
      rules: `    - claims: { repository: acme/widget }\n      roles: [operator]`,
    });
    await activatePolicies(
      node.v,
      { ...callerWith(node, ["operator"]), project },
      {
        documents: [{ name: "access.yaml", text }],
        previous: null,
      },
    );
    const authorization = `Bearer ${await issuer.token()}`;
    const inProject = (name: string, url = "/whoami") =>
      node.app.inject({ url, headers: { authorization, "vouchsafe-project": name } });
    assert.deepEqual((await inProject("payments")).json().roles, ["operator"]);
    assert.deepEqual((await inProject("default")).json().roles, ["uploader", "issuer"]);
    assert.equal((await inProject("payments", "/tokens")).statusCode, 200);
    assert.equal((await inProject("default", "/tokens")).statusCode, 403);
    assert.equal((await inProject("payments", "/projects")).statusCode, 403, "the installation's");
    assert.equal((await inProject("PAYMENTS")).statusCode, 400);
    assert.equal((await call(node.app, WHO, { as: token.token })).json().project, "payments");
  });

  test("of our own OIDC issuer are nobody: they are workloads, which can be taken back", async () => {
    const keys = `    keys: '${issuer.jwks()}'`;
    await activate(`${POLICIES()}---${accessPolicy(OWN, { name: "own", oidc: keys })}`);
    assert.match((await refused(await issuer.token({ iss: OWN }))).detail, /No access rule/);
    await activate(`${POLICIES()}---${accessPolicy(`${OWN}/other`, { name: "own", oidc: keys })}`);
    assert.equal((await ask(await issuer.token({ iss: `${OWN}/other` }))).statusCode, 200);
    await activate(POLICIES());
  });

  describe("are refused, whoever", () => {
    for (const [who, make, why] of FORGED) {
      test(who, async () => assert.match((await refused(await make(issuer, stranger))).detail, why));
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
