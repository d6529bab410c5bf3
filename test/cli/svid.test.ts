import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import { writeTrustBundle } from "../../src/identity/trust-bundle.ts";
import { serialFrom } from "../../src/identity/x509-svid.ts";
import { issueJwtSvids } from "../../src/services/identities/issue-svid.ts";
import { openQuarantine } from "../../src/services/incidents/quarantine.ts";
import { writePem } from "../../src/x509/pem.ts";
import type { TestNode } from "../http/node.ts";
import { testAuthority } from "../identity/trust-domain.ts";
import {
  agentCaller,
  fetchX509,
  type IdentityHouse,
  newKey,
  openIdentityHouse,
  release,
  SELECTORS,
} from "../services/identities/identity-house.ts";
import { callerWith } from "../services/release-node.ts";
import { packOf } from "../support/packs.ts";
import { assertEnded, vouchsafe } from "./vouchsafe.ts";

describe("vouchsafe svid", () => {
  let house: IdentityHouse;
  let node: TestNode;
  let directory: string;
  let digest: string;
  let index: number;
  const path = (name: string) => join(directory, name);
  const $ = (...args: string[]) => vouchsafe(args, { cwd: directory });
  const verify = (...more: string[]) => $("svid", "verify", "svid.pem", "--bundle", "bundle.json", ...more);
  const inCustody = (file = "custody.jsonl") => ["--custody", file, "--log-key", node.v.log.verifierKey];

  before(async () => {
    house = await openIdentityHouse();
    node = await house.open();
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-svid-"));
    ({ digest } = await release(house, node));
    const { svids, key } = await fetchX509(node, agentCaller(node), digest);
    index = svids[0]?.receipt.index ?? 0;
    const chain = (svids[0]?.chain ?? []).map((der) => Buffer.from(der, "base64"));
    const pem = chain.map((der) => writePem("CERTIFICATE", der)).join("");
    // With its key behind it, as programs keep them.
    await writeFile(path("svid.pem"), pem + key.export({ format: "pem", type: "pkcs8" }));
    await writeFile(path("svid.der"), chain[0] ?? "");
    const jwt = await issueJwtSvids(node.v, agentCaller(node), {
      audiences: ["https://db.example.org"],
      selectors: SELECTORS,
      components: { executable: [digest] },
    });
    await writeFile(path("svid.jwt"), `${jwt.svids[0]?.token}\n`);
    await writeFile(path("bundle.json"), JSON.stringify(writeTrustBundle(node.v.authority.bundle())));
    const other = testAuthority("other.example", Date.now());
    await writeFile(path("other.json"), JSON.stringify(writeTrustBundle(other.bundle)));
    await writeFile(path("custody.jsonl"), await packOf(node.v, callerWith(node, ["auditor"]), digest));
  });
  after(async () => {
    await house.close();
    await rm(directory, { recursive: true });
  });

  test("inspect says what it was granted for, in all forms", async () => {
    for (const file of ["svid.pem", "svid.der", "svid.jwt"]) {
      const ended = await $("svid", "inspect", file);
      assertEnded(ended, 0, "stdout", /^(X\.509|JWT)-SVID spiffe:\/\/vouchsafe\.local\/widget\//);
      for (const line of [
        / {2}until .*\(\d+ minutes left\)$/m,
        / {2}granted for sha256:/m,
        / {2}passed +release$/m,
        / {2}log index +\d+$/m,
      ]) {
        assert.match(ended.stdout, line);
      }
    }
    const { stdout } = await $("svid", "inspect", "--json", "svid.pem");
    const svid = JSON.parse(stdout);
    assert.deepEqual([svid.grounds.digests, svid.grounds.index], [[digest], index]);
    const piped = execFileSync(
      process.execPath,
      [join(import.meta.dirname, "../../src/cli/main.ts"), "svid", "inspect", "-", "--json"],
      { input: execFileSync("cat", [path("svid.pem")]), encoding: "utf8" },
    );
    assert.deepEqual(JSON.parse(piped), svid);
  });

  test("verify proves by a custody file that the log has this very SVID, and says its verdicts", async () => {
    const ended = await verify(...inCustody());
    assertEnded(
      ended,
      0,
      "stdout",
      new RegExp(`holds This very SVID was recorded as event ${index} of the log`),
    );
    assert.match(ended.stdout, /verdict +\d+: passed release/);
    assert.match(ended.stdout, /holds It is an SVID of the trust domain vouchsafe\.local/);
    const jwt = ["svid", "verify", "svid.jwt", "--bundle", "bundle.json", ...inCustody(), "--json"];
    const { stdout, status } = await $(...jwt, "--audience", "https://db.example.org");
    const report = JSON.parse(stdout);
    assert.deepEqual([status, report.ok, report.custody.differences], [0, true, []], stdout);
    assert.equal(report.custody.event.workload, "widget");
  });

  test("verify refuses what does not hold, and says what to do next", async () => {
    assertEnded(await verify("--at", "2020-01-01T00:00:00Z"), 1, "stdout", /fails .*not valid yet/);
    assertEnded(await verify("--at", "2020-01-01T00:00:00Z"), 1, "stderr", /--at TIME/);
    const foreign = ["svid", "verify", "svid.pem", "--bundle", "other.json"];
    assertEnded(await $(...foreign), 1, "stdout", /fails .*of another trust domain/);
    assertEnded(
      await $(...foreign, "--trust-domain", "vouchsafe.local"),
      1,
      "stdout",
      /fails .*no authority/,
    );
    const advice = await $(...foreign, "--trust-domain", "vouchsafe.local");
    assert.match(advice.stderr, /newest bundle/);
    assert.doesNotMatch(advice.stderr, /--at/, "time is not what is wrong with it");
    const jwt = ["svid", "verify", "svid.jwt", "--bundle", "bundle.json"];
    assertEnded(await $(...jwt), 2, "stderr", /--audience/);
    assertEnded(
      await $(...jwt, "--audience", "https://else.example.org"),
      1,
      "stdout",
      /fails .*another audience/,
    );
    assertEnded(await verify("--custody", "custody.jsonl"), 2, "stderr", /--log-key/);
    assertEnded(await $("svid", "inspect", "custody.jsonl"), 1, "stderr", /it is no SVID/);
  });

  test("verify refuses an SVID that the authority's key made beside the log", async () => {
    const { spki } = newKey();
    const { grounds } = JSON.parse((await $("svid", "inspect", "--json", "svid.pem")).stdout);
    const der = await node.v.authority.current().x509({
      spki,
      spiffeId: parseSpiffeId("spiffe://vouchsafe.local/widget/admin"),
      serial: serialFrom(randomBytes(16)),
      notBefore: Date.now() - 1000,
      notAfter: Date.now() + 600_000,
      grounds,
    });
    await writeFile(path("forged.pem"), writePem("CERTIFICATE", der));
    const forged = ["svid", "verify", "forged.pem", "--bundle", "bundle.json"];
    assertEnded(await $(...forged), 0, "stdout", /holds/);
    const ended = await $(...forged, ...inCustody());
    assertEnded(
      ended,
      1,
      "stdout",
      /fails It is not what event \d+ .* recorded, which has another serial number/,
    );
  });

  test("verify refuses an SVID that the log has otherwise, or has revoked, or does not have", async () => {
    const another = await release(house, node);
    await writeFile(
      path("another.jsonl"),
      await packOf(node.v, callerWith(node, ["auditor"]), another.digest),
    );
    assertEnded(
      await verify(...inCustody("another.jsonl")),
      1,
      "stdout",
      /fails .*has no event of this SVID/,
    );
    assertEnded(
      await verify(...inCustody("another.jsonl")),
      1,
      "stderr",
      new RegExp(`custody export ${digest}`),
    );

    await openQuarantine(node.v, callerWith(node, ["operator"]), { artifact: digest, reason: "leak" });
    await until(async () => {
      await writeFile(path("revoked.jsonl"), await packOf(node.v, callerWith(node, ["auditor"]), digest));
      return (await verify(...inCustody("revoked.jsonl"))).stdout.includes("fails It was revoked by event");
    });
  });

  /** Revoking follows a quarantine in a moment. */
  async function until(isSo: () => Promise<boolean>): Promise<void> {
    for (let left = 20; !(await isSo()); left -= 1) assert.ok(left > 0, "it is not so");
  }
});
