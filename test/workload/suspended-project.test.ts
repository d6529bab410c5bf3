import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openServerSource, type ServerSource } from "../../src/workload/server-source.ts";
import { call, succeeds } from "../http/calls.ts";
import type { TestNode } from "../http/node.ts";
import { BUNDLE, openTenant, provenance } from "../http/tenant.ts";
import { newKey, SELECTORS } from "../services/identities/identity-house.ts";
import { openReleaseHouse, type ReleaseHouse } from "../services/release-node.ts";

let directory: string;
let house: ReleaseHouse;
let node: TestNode;
let source: ServerSource;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-suspended-"));
  house = await openReleaseHouse();
  node = await house.open();
});
after(async () => {
  await source?.close();
  await house.close();
  await rm(directory, { recursive: true, force: true });
});

test("what an agent of a suspended project asks for is denied, and nothing that it still holds is kept for an outage", async () => {
  const acme = await openTenant(house, node, "acme");
  const { digest, bundle } = await provenance(house);
  const uploader = await acme.token(["uploader"]);
  const pushed = await call(node.app, "POST /attestations", { as: uploader, bytes: bundle, type: BUNDLE });
  assert.equal(pushed.statusCode, 201);
  const token = await acme.token(["agent"], { name: "node-1" });
  source = await openServerSource({
    server: await node.app.listen({ host: "127.0.0.1", port: 0 }),
    dataDir: join(directory, "agent"),
    joinBy: async () => ({ case: "join token", token }),
    signal: AbortSignal.timeout(60_000),
    log: () => {},
  });
  const fetchX509 = () =>
    source.fetchX509(
      { pid: process.pid, selectors: SELECTORS, components: { executable: [digest] } },
      Buffer.from(newKey().csr, "base64"),
      [],
    );
  const change = async (verb: "suspend" | "resume") =>
    succeeds(node.app, 200, `POST /projects/:name/${verb}`, {
      as: await node.token(["operator"]),
      params: { name: "acme" },
      json: { reason: "a test" },
    });
  assert.equal((await fetchX509()).svids.length, 1);

  const { asOf } = await source.watch(undefined, AbortSignal.timeout(30_000));
  const watching = source.watch(asOf, AbortSignal.timeout(30_000));
  await change("suspend");
  assert.equal((await watching).touched, "all", "agents are told at once");
  const denial = { code: "identity-denied", extensions: { reasons: [{ code: "project-suspended" }] } };
  await assert.rejects(fetchX509(), denial);
  await assert.rejects(source.watch(asOf, AbortSignal.timeout(30_000)), denial);

  await change("resume");
  assert.equal((await fetchX509()).svids.length, 1);
});
