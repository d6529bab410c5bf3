import assert from "node:assert/strict";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createJwtMinter } from "../../src/identity/jwt-svid.ts";
import { spiffeId } from "../../src/identity/spiffe-id.ts";
import { type Agent, openAgent } from "../../src/workload/agent.ts";
import { GROUNDS, testAuthority } from "../identity/trust-domain.ts";
import { buildExecutable, type Executable } from "./executable.ts";
import { type LocalSource, openLocalSource } from "./local-source.ts";
import { type Ask, ask, startWorkload } from "./run-workload.ts";

const INVALID_ARGUMENT = 3;

describe("bundles of other trust domains on the Workload API", {
  skip: process.platform !== "linux" && "only Linux attests",
}, () => {
  const now = Date.now();
  const partner = testAuthority("partner.example", now);
  const stranger = testAuthority("stranger.example", now);
  let directory: string;
  let socket: string;
  let widget: Executable;
  let source: LocalSource;
  let agent: Agent;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-agent-"));
    await chmod(directory, 0o755);
    socket = join(directory, "agent.sock");
    widget = await buildExecutable(directory);
    source = await openLocalSource();
    source.approve(widget.digest);
    agent = await openAgent({ socketPath: socket, source, log: () => {} });
  });
  after(async () => {
    await agent.close();
    await source.remove();
    await rm(directory, { recursive: true, force: true });
  });

  const call = (method: string, more: Partial<Ask> = {}) =>
    ask({ executable: widget.path, socket, method, ...more });
  const tokenOf = (authority: typeof partner) =>
    createJwtMinter(authority)({
      spiffeId: spiffeId(authority.trustDomain, "/client"),
      audiences: ["db"],
      issuedAt: now,
      expiresAt: now + 600_000,
      jti: "1",
      grounds: GROUNDS,
    });

  test("reach streams that are open, and are handed out with the own one", async () => {
    const start = (method: string) => startWorkload({ executable: widget.path, socket, method });
    const [svids, bundles] = [start("FetchX509SVID"), start("FetchX509Bundles")];
    assert.deepEqual((await svids.next()).answer.federated_bundles ?? {}, {});
    assert.deepEqual(Object.keys((await bundles.next()).answer.bundles), ["spiffe://test.example"]);
    source.federate(partner.bundle, `unix:uid:${process.getuid?.()}`);
    source.federate(stranger.bundle, "unix:uid:4294967294");

    const root = Buffer.from(partner.root.der).toString("base64");
    // A policy touches everything: an SVID may be renewed before the bundle has come.
    let told = (await svids.next()).answer.federated_bundles;
    while (Object.keys(told ?? {}).length === 0) told = (await svids.next()).answer.federated_bundles;
    assert.deepEqual(told, { "spiffe://partner.example": root });
    const both = (await bundles.next()).answer.bundles;
    assert.deepEqual(Object.keys(both).sort(), ["spiffe://partner.example", "spiffe://test.example"]);
    assert.equal(both["spiffe://partner.example"], root);
    const jwt = await call("FetchJWTBundles");
    const document = Buffer.from(jwt.answer.bundles["spiffe://partner.example"], "base64").toString();
    assert.equal(JSON.parse(document).keys[0].kid, partner.jwtKeyId);
    for (const stream of [svids, bundles]) await stream.stop();
  });

  test("validate JWT-SVIDs for the workloads that federate with them, and for no others", async () => {
    source.federate(partner.bundle, `unix:uid:${process.getuid?.()}`);
    source.federate(stranger.bundle, "unix:uid:4294967294");
    const validated = await call("ValidateJWTSVID", {
      request: { audience: "db", svid: await tokenOf(partner) },
    });
    assert.equal(validated.answer?.spiffe_id, "spiffe://partner.example/client");
    const svid = await tokenOf(stranger);
    assert.equal(
      (await call("ValidateJWTSVID", { request: { audience: "db", svid } })).code,
      INVALID_ARGUMENT,
    );
    // Another trust domain's key says nothing of ours, whatever the token says.
    const forged = await tokenOf({ ...partner, trustDomain: stranger.trustDomain });
    assert.equal(
      (await call("ValidateJWTSVID", { request: { audience: "db", svid: forged } })).code,
      INVALID_ARGUMENT,
    );
  });
});
