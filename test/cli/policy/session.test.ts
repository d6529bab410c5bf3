/** Policies at a terminal: refused, activated, simulated. The steps build on one another and run in their order. */
import assert from "node:assert/strict";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { UNLESS_LONG } from "../../support/long.ts";
import { DIGEST, openSession, POLICIES, type Session } from "../session.ts";
import { assertEnded } from "../vouchsafe.ts";

const APP = `{apiVersion: vouchsafe.dev/v1, kind: WorkloadPolicy, metadata: {name: app}, spec: {selectors: ["unix:uid:1"],
  spiffeId: /app, policies: [strict], requesters: {issuers: [broker]}}}`;

describe("policies at a terminal", { skip: UNLESS_LONG }, () => {
  let session: Session;
  let path: Session["path"];
  let $: Session["$"];
  let json: Session["json"];
  before(async () => {
    session = await openSession();
    ({ path, $, json } = session);
    assertEnded(await $("push", "release.json"), 0, "stdout", /^accepted/);
  });
  after(() => session?.close());

  test("a policy with mistakes: each shown with a caret, by lint offline and by activate from the server", async () => {
    const text = await readFile(join(POLICIES, "policy.yaml"), "utf8");
    await mkdir(path("bad"));
    await writeFile(path("bad/policy.yaml"), text.replace("  signers:", "  singers:"));
    const line = text.split("\n").indexOf("  signers:") + 1;
    const shown = new RegExp(`^policy\\.yaml:${line}:3: .*\\n {4}singers:\\n {4}\\^`, "m");
    const said = [await session.offline(["policy", "lint", "bad"]), await $("policy", "activate", "bad")];
    for (const ended of [...said, await $("policy", "simulate", "bad")]) {
      assertEnded(ended, 1, "stderr", shown);
      assert.equal(ended.stderr.match(/singers/g)?.length, 2, "once, and in its line");
    }
  });

  test("activating policies says what changes; the same again changes nothing", async () => {
    await mkdir(path("policies"));
    const text = await readFile(join(POLICIES, "policy.yaml"), "utf8");
    await writeFile(path("policies/strict.yaml"), text.replaceAll("widget-release", "strict"));
    await writeFile(path("policies/strict.test.yaml"), "not: [a policy");
    await writeFile(path("policies/app.yaml"), APP);
    const activated = await $("policy", "activate", "policies");
    assertEnded(activated, 0, "stdout", /^active sha256:[0-9a-f]{64}: recorded at log index \d+\n/);
    assert.match(activated.stdout, /^ {2}added strict /m);
    assert.match(activated.stdout, /^ {2}removed widget-release$/m);
    assert.match(activated.stdout, /^ {2}added WorkloadPolicy app /m);
    await writeFile(path("policies/app.yaml"), APP.replace("/app", "/app/2"));
    assertEnded(await $("policy", "activate", "policies"), 0, "stdout", /^ {2}changed WorkloadPolicy app /m);
    assertEnded(
      await $("policy", "activate", "policies"),
      0,
      "stdout",
      /was active already\n {2}same strict /,
    );
    assertEnded(await $("policy", "show", "--text"), 0, "stdout", /^# strict\.yaml\n/m);
    assertEnded(
      await $("verify-digest", DIGEST, "--policy", "widget-release"),
      1,
      "stdout",
      /unknown-policy/,
    );
    assertEnded(await $("verify-digest", DIGEST, "--policy", "strict"), 0, "stdout", /^allow/);
    assertEnded(await $("policy", "activate", POLICIES), 0, "stdout", /^active/);
  });

  test("simulating an edit of access says which rules give what, and who was let in so far", async () => {
    await cp(POLICIES, path("access"), { recursive: true });
    const rule = (roles: string) => `apiVersion: vouchsafe.dev/v1
kind: AccessPolicy
metadata: { name: pipelines }
spec:
  oidc: { use: github-actions, audience: vouchsafe }
  rules:
    - { claims: { repository: acme/widget }, roles: [${roles}], policies: [widget-release] }
`;
    await writeFile(path("access/access.yaml"), rule("uploader"));
    const lines = [
      "added access pipelines: tokens of https://token.actions.githubusercontent.com for vouchsafe",
      "  added rule: repository acme/widget",
      "    gives uploader by widget-release",
    ];
    const added = await $("policy", "simulate", "access");
    assertEnded(added, 0, "stdout", new RegExp(`^${lines.join("\n")}\n`, "m"));
    assertEnded(await $("policy", "activate", "access"), 0, "stdout", /^active/);
    await writeFile(path("access/access.yaml"), rule("uploader, auditor"));
    assert.match(
      (await $("policy", "simulate", "access")).stdout,
      /^ {2}changed rule: repository acme\/widget\n {4}gives uploader, auditor by widget-release, and gave uploader by/m,
    );
    assert.match((await $("policy", "simulate", POLICIES)).stdout, /^removed access pipelines: tokens of /m);
    assertEnded(await $("policy", "activate", POLICIES), 0, "stdout", /^active/);
  });

  test("simulating an edit says which artifacts it denies and why, and activates nothing", async () => {
    await mkdir(path("proposed"));
    const text = await readFile(join(POLICIES, "policy.yaml"), "utf8");
    await writeFile(path("proposed/policy.yaml"), text.replaceAll("refs/heads/main", "refs/heads/stable"));
    const before = await $("policy", "show");
    const simulated = await $("policy", "simulate", "proposed");
    assertEnded(simulated, 0, "stdout", /^changed widget-release: 0 artifacts would pass, 1 by the active/m);
    assert.match(
      simulated.stdout,
      new RegExp(`^ {2}denies 1 artifact more\n {4}${DIGEST}\n {6}\\S+: expected `, "m"),
    );
    assert.match(simulated.stdout, /^denies 0 of 0 running workloads$/m);
    const { value } = await json("policy", "simulate", "proposed", "--as-of", "1");
    assert.deepEqual([value.asOf.size, value.active, value.artifacts], [1, null, 0]);
    assertEnded(await $("policy", "simulate", "bad"), 1, "stderr", /^policy\.yaml:\d+:3: .*\n {4}singers:/m);
    assertEnded(
      await $("policy", "simulate", POLICIES, "--as-of", "soon"),
      2,
      "stderr",
      /code: invalid-request/,
    );
    assert.equal((await $("policy", "show")).stdout, before.stdout);
  });
});
