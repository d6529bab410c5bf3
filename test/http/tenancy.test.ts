import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { ProjectId } from "../../src/custody/events.ts";
import { type Access, rolesOf } from "../../src/http/authentication.ts";
import type { AgentCredential } from "../../src/identity/agent-proof.ts";
import { createToken } from "../../src/services/access/tokens.ts";
import { ROLES, type Role } from "../../src/services/caller.ts";
import { openReleaseHouse, type ReleaseHouse } from "../services/release-node.ts";
import { IS_LONG } from "../support/long.ts";
import { type Call, succeeds } from "./calls.ts";
import { type TestNode, turn } from "./node.ts";
import { PUBLIC, ROWS } from "./tenancy-rows.ts";
import {
  fill,
  ISSUER,
  joinAgent,
  type Known,
  openTenant,
  proofOf,
  strangers,
  type Tenant,
} from "./tenant.ts";

const GOLDEN: Record<string, Access> = JSON.parse(
  readFileSync(new URL("../../testdata/routes.golden.json", import.meta.url), "utf8"),
);
const routes = Object.entries(GOLDEN).filter(([route]) => !route.startsWith("HEAD "));
/** Either project is the other's stranger: the second pair under VOUCHSAFE_LONG. */
const PAIRS = [
  ["default", "beta"],
  ["acme", "default"],
].slice(0, IS_LONG ? 2 : 1) as [string, string][];

test("every route has a row: whose it is has been thought of", () => {
  const ofProjects = routes.filter(([, access]) => Array.isArray(access)).map(([route]) => route);
  const open = routes.filter(([, access]) => access === "public").map(([route]) => route);
  assert.deepEqual(Object.keys(ROWS).sort(), ofProjects.sort());
  assert.deepEqual(Object.keys(PUBLIC).sort(), open.sort());
});

let house: ReleaseHouse;
let node: TestNode;
before(async () => {
  house = await openReleaseHouse();
  node = await house.open();
});
after(() => house.close());

for (const [theirs, ours] of PAIRS) {
  describe(`what ${theirs} has, to a caller of ${ours}`, () => {
    let victim: Tenant;
    let caller: Tenant;
    let known: Known;
    let agent: AgentCredential;
    const tokens = new Map<Role, string>();
    let before_: string;

    before(async () => {
      victim = await openTenant(house, node, theirs);
      caller = await openTenant(house, node, ours);
      known = await fill(house, node, victim);
      agent = await joinAgent(node, caller, `node-of-${victim.name}`);
      for (const role of ROLES)
        tokens.set(role, await caller.token([role], { name: ISSUER, policies: ["release"] }));
      before_ = await stateOf(node, victim.id);
    });

    /** Sends it as a caller with this role, by its token, or as an agent by its proof. */
    async function send(route: string, { params = {}, query, json, bytes, type }: Call, role: Role) {
      await turn();
      const [method = "", path = ""] = route.split(" ");
      const found = path.replaceAll(/:(\w+)/g, (_, name) => encodeURIComponent(params[name] ?? ""));
      const url = query === undefined ? found : `${found}?${new URLSearchParams(query)}`;
      const body = bytes ?? (json === undefined ? undefined : Buffer.from(JSON.stringify(json)));
      const isAgent = role === "agent" && route !== "POST /agents";
      const authorization = isAgent
        ? proofOf(agent, method, url, body ?? new Uint8Array())
        : `Bearer ${tokens.get(role)}`;
      return node.app.inject({
        method: method as "GET",
        url,
        headers: { authorization, ...(body && { "content-type": type ?? "application/json" }) },
        ...(body && { payload: Buffer.from(body) }),
      });
    }

    for (const [route, access] of routes) {
      if (!Array.isArray(access)) continue;
      test(route, async () => {
        for (const role of rolesOf(access as Exclude<Access, "public">)) {
          const others = strangers(known);
          const [byTheirs = [], byOthers = []] = [known, others].map((one) => ROWS[route]?.(one));
          for (const [i, request] of byTheirs.entries()) {
            const control = byOthers[i];
            assert.ok(control);
            const stranger = await send(route, control, role);
            const answer = await send(route, request, role);
            assert.ok(answer.statusCode < 500, answer.body);
            assert.equal(told(answer, known), told(stranger, others), `as ${role}`);
            for (const secret of secretsIn(known, victim))
              assert.ok(
                isAskedBy(request, secret) || !answer.body.includes(secret),
                `${role} reads ${secret}`,
              );
          }
        }
      });
    }

    test("has not changed", async () => {
      assert.equal(await stateOf(node, victim.id), before_);
    });

    test("is named by no public route", async () => {
      const [issuer = ""] = node.v.authority.signers().map((signer) => signer.issuer);
      const urls = [...Object.values(PUBLIC).flat(), `/crl/${issuer}`];
      for (const url of urls) {
        const { statusCode, rawPayload } = await node.app.inject(url);
        assert.equal(statusCode, 200, url);
        for (const secret of secretsIn(known, victim)) {
          const hex = /[0-9a-f]{64}/.exec(secret)?.[0];
          for (const form of [
            Buffer.from(secret),
            ...(hex ? [Buffer.from(hex, "hex"), Buffer.from(hex)] : []),
          ])
            assert.equal(rawPayload.includes(form), false, `${url} names ${secret}`);
        }
      }
    });
  });
}

describe("what is the installation's", () => {
  for (const [route, access] of routes) {
    if (!(typeof access === "object" && "installation" in access)) continue;
    test(`${route} is for no other project's callers`, async () => {
      const name = `t${routes.findIndex(([one]) => one === route)}`;
      const created = await succeeds(node.app, 201, "POST /projects", {
        as: await node.token(["operator"]),
        json: { name },
      });
      const { v } = node;
      const asked = { name: "all", roles: ROLES };
      const [method = "", url = ""] = route.replace(":name", "default").split(" ");
      const { token: as } = await createToken(v, { project: created.project }, asked);
      const json = method === "POST" ? { payload: {} } : {};
      const ask = (headers: Record<string, string>) =>
        node.app.inject({ method: method as "GET", url, headers, ...json });
      const refused = await ask({ authorization: `Bearer ${as}` });
      assert.equal(refused.statusCode, 403);
      assert.match(refused.json().detail, /for callers of the project default/);
      assert.equal((await ask({})).statusCode, 401);
    });
  }
});

/** An answer without what is new in each: what is left must not tell whether what was asked by is anybody's. */
function told(answer: Awaited<ReturnType<TestNode["app"]["inject"]>>, asked: Known): string {
  let text = answer.body
    .replaceAll(`: ${asked.index}`, ": <index>")
    .replaceAll(`[${asked.index}]`, "[<index>]");
  const texts = Object.entries(asked).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  // A SPIFFE ID has a digest in it.
  for (const [name, value] of texts.toSorted(([, a], [, b]) => b.length - a.length)) {
    if (name === "index") continue;
    text = text.replaceAll(value, `<${name}>`).replaceAll(value.replace(/^sha256:/, ""), `<${name} hex>`);
  }
  text = text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<uuid>")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
    .replaceAll(/vouchsafe_[0-9a-f]{16}_[\w-]{43}/g, "<token>")
    .replaceAll(/"(id)":"[0-9a-f]{16}"/g, '"$1":"<token id>"')
    .replaceAll(/"(checkpoint|leaf|salt)":"[^"]*"/g, '"$1":"<signed>"')
    .replaceAll(/"inclusionProof":\[[^\]]*\]/g, '"inclusionProof":[]')
    .replaceAll(/"(index|treeSize|asOf|size|revocationsAsOf|logSize)":\d+/g, '"$1":0');
  return `${answer.statusCode} ${answer.headers["content-type"]} ${text}`;
}

function secretsIn(known: Known, { name, id }: Tenant): string[] {
  const { index: _, policySet: __, trust: ___, bundle: ____, ...rest } = known;
  const hexes = Object.values(rest).map((value) => value.replace(/^sha256:/, ""));
  const words = [`leaked by ${name}`, `urgent for ${name}`, `a case of ${name}`, `found by ${name}`];
  return [...hexes, id, ...words, `team of ${name}`];
}

function isAskedBy(request: object, secret: string): boolean {
  return JSON.stringify(request).includes(secret);
}

/** Everything that the database has of a project, in short. Renewed proofs and background work of its own change none of it. */
async function stateOf({ v }: TestNode, project: ProjectId): Promise<string> {
  return v.database.transaction(async (query) => {
    const tables = await query<{ name: string }>(
      "select table_name as name from information_schema.columns where table_schema = 'public' and column_name = 'project_id' order by 1",
    );
    const sums: string[] = [];
    for (const { name } of tables) {
      const [row] = await query<{ sum: string }>(
        `select count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as sum from ${name} t where project_id = $1`,
        [project],
      );
      sums.push(`${name} ${row?.sum}`);
    }
    return sums.join("\n");
  });
}
