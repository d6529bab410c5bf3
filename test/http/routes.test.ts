import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { type Access, rolesOf } from "../../src/http/authentication.ts";
import { ROLES } from "../../src/services/caller.ts";
import { openNode, type TestNode, turn } from "./node.ts";

const GOLDEN = new URL("../../testdata/routes.golden.json", import.meta.url);
/** Where a route is found that answers in full only for what is there. */
const FOUND: Readonly<Record<string, string>> = {
  // Which events an issuer may see is settled by the types that it names.
  "/events": "/events?type=quarantine.opened",
  "/log/tile/:level/*": "/log/tile/0/000.p/1",
  "/log/tile/entries/*": "/log/tile/entries/000.p/1",
  "/log/proof/inclusion": "/log/proof/inclusion?index=0",
  "/log/proof/consistency": "/log/proof/consistency?from=0",
  // Who may call is settled before the query is read; a token that is let in is still no agent that is known.
  "/identities/watch": "/identities/watch?after=x",
  "/federation": "/federation?x",
  "/registrations": "/registrations?x",
};
const DIGEST = `sha256:${"0".repeat(64)}`;

let node: TestNode;
before(async () => {
  node = await openNode();
});
after(() => node.close());

test("every route and who may call it is as agreed (UPDATE_GOLDEN=1 rewrites the agreement)", () => {
  const routes = Object.fromEntries([...node.app.routeAccess].sort(([a], [b]) => (a < b ? -1 : 1)));
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(GOLDEN, `${JSON.stringify(routes, null, 2)}\n`);
  assert.deepEqual(routes, readGolden());
});

test("the OpenAPI description holds every route", async () => {
  const { paths } = (await node.app.inject("/openapi.json")).json();
  const described = Object.entries(paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map(
      (method) => `${method.toUpperCase()} ${path.replaceAll("{path}", "*").replaceAll(/\{(\w+)\}/g, ":$1")}`,
    ),
  );
  const routes = Object.keys(readGolden()).filter((route) => !/^HEAD|openapi|docs/.test(route));
  assert.deepEqual(described.sort(), routes.sort());
});

describe("each route and each role", () => {
  for (const [route, access] of Object.entries(readGolden())) {
    const [method, path] = route.split(" ") as ["GET", string];
    const isPost = route.startsWith("POST ");
    const call = async (headers: Record<string, string>) => {
      await turn();
      const [issuer = ""] = node.v.authority.signers().map((signer) => signer.issuer);
      const known = path.replace(":digest", DIGEST).replace(":issuer", issuer);
      const url = FOUND[path] ?? known.replace(/:\w+/, "0123456789abcdef");
      return node.app.inject({
        // A stream does not end by itself.
        ...(path.endsWith("/stream") && { payloadAsStream: true, signal: AbortSignal.timeout(1_000) }),
        method,
        url,
        headers: { ...headers, ...(isPost && { "content-type": "application/json" }) },
        ...(isPost && { payload: "{}" }),
      });
    };

    test(route, async () => {
      const anonymous = await call({});
      if (access === "public") {
        // A post is let in, and refused for its body.
        const isLetIn = anonymous.statusCode < 400 || (isPost && anonymous.statusCode === 400);
        assert.ok(isLetIn, `${anonymous.statusCode} ${anonymous.body}`);
        return;
      }
      assert.equal(anonymous.statusCode, 401);
      const allowed = rolesOf(access);
      for (const role of ROLES) {
        const { statusCode } = await call({ authorization: `Bearer ${await node.token([role])}` });
        const isLetIn = statusCode !== 401 && statusCode !== 403;
        assert.equal(isLetIn, allowed.includes(role), `${role} was answered ${statusCode}`);
        assert.ok(statusCode < 500, `${role} was answered ${statusCode}`);
        if (!isLetIn) assert.equal(statusCode, 403);
      }
      const others = ROLES.filter((role) => !allowed.includes(role));
      if (others.length > 0) {
        const { statusCode } = await call({ authorization: `Bearer ${await node.token(others)}` });
        assert.equal(statusCode, 403, `${others.join(" ")} together`);
      }
    });
  }
});

function readGolden(): Record<string, Access> {
  return JSON.parse(readFileSync(GOLDEN, "utf8"));
}
