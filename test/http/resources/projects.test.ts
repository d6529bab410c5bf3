import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PROJECT_CHAIN, type ProjectId } from "../../../src/custody/events.ts";
import { readChain } from "../../../src/db/log.ts";
import { fails, succeeds } from "../calls.ts";
import { openNode, type TestNode } from "../node.ts";

let node: TestNode;
let operator: string;
before(async () => {
  node = await openNode();
  operator = await node.token(["operator"]);
});
after(() => node.close());

const create = async (name: string) =>
  succeeds(node.app, 201, "POST /projects", { as: operator, json: { name } });

test("a project is made once, with an event and its first operator's token", async () => {
  const made = await create("acme");
  const events = await readChain(node.v.database.kysely, made.project as ProjectId, PROJECT_CHAIN, {});
  assert.deepEqual(
    events.map(({ type }) => type),
    ["project.created", "trust.activated"],
  );
  assert.equal(events[0]?.body.name, "acme");
  const taken = await fails(node.app, "conflict", "POST /projects", { as: operator, json: { name: "acme" } });
  assert.match(taken.detail, /There is a project acme already/);

  const as = made.token.token;
  const policies = await succeeds(node.app, 200, "GET /policies", { as });
  assert.equal(policies.policySet, null);
  const trust = await succeeds(node.app, 200, "GET /trust", { as });
  assert.deepEqual(
    trust.summary.sigstore.map(({ name }: { name: string }) => name),
    ["public-good"],
  );
  await succeeds(node.app, 201, "POST /tokens", { as, json: { name: "ci", roles: ["uploader"] } });
  const { tokens } = await succeeds(node.app, 200, "GET /tokens", { as });
  assert.equal(tokens.length, 2);
});

test("names are labels, and some are no tenant's", async () => {
  for (const name of ["Acme", "-a", "a-", "a_b", "a.b", "default", "vouchsafe", "installation"])
    await fails(node.app, "invalid-request", "POST /projects", { as: operator, json: { name } });
  await create("a");
  await create(`a${"b".repeat(61)}c`);
});

test("of two who make the same project at once one does", async () => {
  const answers = await Promise.all(
    [1, 2].map(() =>
      node.app.inject({
        method: "POST",
        url: "/projects",
        headers: { authorization: `Bearer ${operator}` },
        payload: { name: "raced" },
      }),
    ),
  );
  assert.deepEqual(answers.map(({ statusCode }) => statusCode).sort(), [201, 409]);
});

test("projects are listed by name, a page at a time", async () => {
  const first = await succeeds(node.app, 200, "GET /projects", { as: operator, query: { limit: "2" } });
  const rest = await succeeds(node.app, 200, "GET /projects", { as: operator, query: { after: first.next } });
  const names = [...first.projects, ...rest.projects].map(({ name }: { name: string }) => name);
  assert.deepEqual(names, [...names].sort());
  assert.ok(names.includes("default") && names.includes("acme"));
});

test("only the installation's operators make projects, and their tokens anew", async () => {
  const { token } = await create("beta");
  const json = { name: "gamma" };
  const refused = await fails(node.app, "forbidden", "POST /projects", { as: token.token, json });
  assert.match(refused.detail, /the whole installation's/);
  const params = { name: "beta" };
  const route = "POST /projects/:name/operator-token";
  await fails(node.app, "forbidden", route, { as: token.token, params, json: undefined });
  const another = await succeeds(node.app, 201, route, { as: operator, params });
  const { tokens } = await succeeds(node.app, 200, "GET /tokens", { as: another.token });
  assert.equal(tokens.length, 2);
  await fails(node.app, "not-found", route, { as: operator, params: { name: "nobody" } });
});

test("a token works in its project alone, whatever the request names", async () => {
  const { token } = await create("delta");
  const as = async (project: string) =>
    node.app.inject({
      url: "/policies",
      headers: { authorization: `Bearer ${token.token}`, "vouchsafe-project": project },
    });
  assert.equal((await as("delta")).statusCode, 200);
  assert.equal((await as("delta")).statusCode, 200, "when it is remembered too");
  const { instance: _, ...refused } = (await as("acme")).json();
  assert.equal(refused.code, "forbidden");
  const { instance: __, ...unknown } = (await as("nobody")).json();
  assert.deepEqual(unknown, refused, "whether there is such a project is not told");
});
