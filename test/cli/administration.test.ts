/**
 * An operator's session at a terminal: tokens and what is taken back. The real binary against the real server; the
 * steps build on one another and run in their order.
 */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createClient } from "../../src/client/client.ts";
import { p256, signingRequest } from "../identity/signing-requests.ts";
import { UNLESS_LONG } from "../support/long.ts";
import { DIGEST, openSession, POLICIES, type Session } from "./session.ts";
import { assertEnded } from "./vouchsafe.ts";

describe("an operator at a terminal", { skip: UNLESS_LONG }, () => {
  let session: Session;
  let path: Session["path"];
  let $: Session["$"];
  let as: Session["as"];
  let json: Session["json"];
  before(async () => {
    session = await openSession();
    ({ path, $, as, json } = session);
    assertEnded(await $("push", "release.json"), 0, "stdout", /^accepted/);
  });
  after(() => session?.close());

  test("tokens: made with a role, printed alone, listed without secret, revoked", async () => {
    const created = await $("token", "create", "--name", "ci", "--role", "uploader", "--expires-in", "2h");
    assert.equal(created.status, 0, created.stderr);
    assert.match(created.stdout, /^vouchsafe_[0-9a-f]{16}_[\w-]{43}\n$/);
    const token = created.stdout.trim();
    const [, id = ""] = token.split("_");

    assertEnded(await as(token, "push", "release.json"), 0, "stdout", /^known/);
    assertEnded(
      await as(token, "quarantine", "add", DIGEST, "--reason", "x"),
      1,
      "stderr",
      /code: forbidden/,
    );

    const listed = await $("token", "ls");
    assert.match(listed.stdout, new RegExp(`^${id} +ci +uploader +.*until .*Z$`, "m"));
    assert.ok(!listed.stdout.includes(token.slice(-43)));

    assertEnded(await $("token", "revoke", id), 0, "stdout", new RegExp(`^revoked ${id}`));
    assertEnded(await as(token, "push", "release.json"), 1, "stderr", /code: unauthenticated/);
  });

  test("a commit is put into quarantine and shown by its digest, as an artifact is", async () => {
    const commit = `gitCommit:${"c".repeat(40)}`;
    const added = await $("quarantine", "add", commit, "--reason", "a backdoor");
    assertEnded(added, 0, "stdout", new RegExp(`^quarantined ${commit}: id `));
    assertEnded(await $("artifact", "show", commit), 0, "stdout", /^ {2}quarantined \(.*: a backdoor$/m);
  });

  test("an artifact is held and let go of, and the sweep says what it would delete", async () => {
    const held = await $("retention", "hold", DIGEST, "--reason", "Doe v. Acme");
    assertEnded(held, 0, "stdout", new RegExp(`^held ${DIGEST}: id `));
    const [, id = ""] = /id ([0-9a-f-]+)/.exec(held.stdout) ?? [];
    assertEnded(
      await $("retention", "holds"),
      0,
      "stdout",
      new RegExp(`^${id} +${DIGEST} +Doe v. Acme$`, "m"),
    );
    const shown = await $("retention", "show", DIGEST);
    assertEnded(shown, 0, "stdout", /^class none: kept for ever$/m);
    assertEnded(shown, 0, "stdout", /^held sha256:[0-9a-f]{64}$/m);
    assertEnded(
      await $("retention", "assign", DIGEST, "court", "--reason", "x"),
      1,
      "stderr",
      /code: not-found/,
    );
    assertEnded(await $("retention", "release", id, "--reason", "settled"), 0, "stdout", /^released /);
    assertEnded(
      await $("retention", "sweep", "--dry-run"),
      0,
      "stderr",
      /^0 held, 0 that identities rest on$/m,
    );
  });

  test("an issuer's token decides by its own policies, and by no other", async () => {
    const { value } = await json(
      "token",
      "create",
      "--name",
      "spire",
      "--role",
      "issuer",
      "--policy",
      "widget-release",
    );
    assertEnded(await as(value.token, "verify-digest", DIGEST), 0, "stdout", /^allow/);
    assertEnded(
      await as(value.token, "verify-digest", DIGEST, "--policy", "lenient"),
      1,
      "stderr",
      /code: policy-not-allowed/,
    );
  });

  test("approvals are given, shown and taken back; an exception lets through what waits for them", async () => {
    await mkdir(path("reviewed"));
    const text = await readFile(join(POLICIES, "policy.yaml"), "utf8");
    const asks = "spec:\n  approvals: {required: 1, from: [{approver: alice}], expiresAfter: 1h}";
    await writeFile(
      path("reviewed/reviewed.yaml"),
      text.replaceAll("widget-release", "reviewed").replace("spec:", asks),
    );
    assertEnded(await $("policy", "activate", "reviewed"), 0, "stdout", /added reviewed/);
    const asked = () => $("verify-digest", DIGEST, "--policy", "reviewed");
    const alice = (await $("token", "create", "--name", "alice", "--role", "approver")).stdout.trim();
    const approved = await as(alice, "approve", DIGEST, "--policy", "reviewed", "--reason", "fine");
    assertEnded(
      approved,
      0,
      "stdout",
      /^alice approved .* for reviewed: id \S+, log index \d+\n {2}resting on /,
    );
    const id = /id (\S+),/.exec(approved.stdout)?.[1] ?? "";
    assertEnded(await $("approve", DIGEST), 0, "stdout", new RegExp(`^${id} alice for reviewed: fine$`, "m"));
    assertEnded(await asked(), 0, "stdout", /approved: .* by alice/);
    const withdrawn = await as(alice, "approve", DIGEST, "--withdraw", id, "--reason", "a leak");
    assertEnded(withdrawn, 0, "stdout", /^withdrew/);
    assertEnded(await asked(), 1, "stdout", /approval-missing/);

    const grant = [
      "exception",
      "grant",
      DIGEST,
      "--policy",
      "reviewed",
      "--owner",
      "dana",
      "--reason",
      "outage",
    ];
    const { value } = await json(...grant, "--for", "2h");
    assertEnded(await asked(), 0, "stdout", /exception: .* dana answers: outage[\s\S]*SLSA build level/);
    assertEnded(await $("artifact", "show", DIGEST), 0, "stdout", /^ {2}exception .* dana answers: outage/m);
    assertEnded(
      await $("exception", "ls"),
      0,
      "stdout",
      new RegExp(`^ID .*\n${value.id} +${DIGEST} +reviewed`),
    );
    const ended = await $("exception", "withdraw", DIGEST, value.id, "--reason", "over");
    assertEnded(ended, 0, "stdout", /^withdrew/);
    assertEnded(await $("policy", "activate", POLICIES), 0, "stdout", /^active/);
  });

  test("an agent's certificates are taken back, with a reason; not those of one that never joined", async () => {
    const agent = "spiffe://vouchsafe.local/vouchsafe/agent/node-1";
    assertEnded(await $("agent", "revoke", agent, "--reason", "lost"), 1, "stderr", /code: not-found/);
    const { stdout } = await $("token", "create", "--name", "node-1", "--role", "agent");
    const { key, spki } = p256();
    const joining = createClient({ server: session.server.url, token: stdout.trim() });
    await joining.joinAgent(signingRequest(key, spki).toString("base64"));
    assertEnded(await $("agent", "revoke", agent), 2, "stderr", /--reason/);
    assertEnded(
      await $("agent", "revoke", agent, "--reason", "lost"),
      0,
      "stdout",
      /^revoked spiffe:.*node-1/,
    );
  });

  test("the authority that signs is shown and taken back, and the next one signs at once", async () => {
    const listed = await $("authority", "ls");
    assertEnded(listed, 0, "stdout", /^AUTHORITY .*\nsha256:[0-9a-f]{64} +active +\S+ \S+Z +signs here\n$/);
    const [authority = ""] = /^sha256:\S+/m.exec(listed.stdout) ?? [];
    assertEnded(await $("authority", "retire", authority, "--reason", "stolen"), 0, "stdout", /^retired /);
    const gone = new RegExp(`^${authority} +retired +\\S+ \\S+Z +stolen\n.*signs here\n$`, "m");
    assertEnded(await $("authority", "ls"), 0, "stdout", gone);
    assertEnded(await $("authority", "retire", authority, "--reason", "x"), 1, "stderr", /code: not-found/);
  });

  test("evidence is revoked once it is clear what falls, and counts again", async () => {
    const ask = ["verify-digest", DIGEST, "--policy", "widget-release"];
    const { value } = await json("artifact", "show", DIGEST);
    const [attestation] = value.attestations;
    const { issuer, identity } = attestation.signer;
    const signer = ["revoke", "signer", "--issuer", issuer, "--identity", identity];
    const preview = await $(...signer, "--from", "2026-01-01T00:00:00Z", "--dry-run");
    assertEnded(preview, 0, "stdout", /^nothing is revoked; by signer .* from 2026-01-01T00:00:00\.000Z$/m);
    assert.match(preview.stdout, /^would fall: 1 artifact, 0 live identities, 0 workloads$/m);
    assert.match(
      preview.stdout,
      new RegExp(`^ {2}ARTIFACT +PASSES NO LONGER\n {2}${DIGEST} {2}.*widget-release`, "m"),
    );
    assertEnded(await $(...ask), 0, "stdout", /^allow/);

    assertEnded(await $(...signer), 2, "stderr", /--reason/);
    assertEnded(await $("revoke", "signer", "--issuer", issuer, "--reason", "x"), 2, "stderr", /--identity/);
    const release = { bundle: JSON.parse(await readFile(path("release.json"), "utf8")) };
    await writeFile(path("list.json"), JSON.stringify({ attestations: [release] }));
    const unknown = /^beware: no such evidence was pushed/m;
    const asked = ["revoke", "attestation", "list.json", "--dry-run"];
    assertEnded(await $(...asked), 0, "stderr", unknown);
    assertEnded(await $("push", "list.json"), 0, "stdout", /^accepted/);
    const listed = await $(...asked);
    assertEnded(listed, 0, "stdout", /^would fall: 1 artifact/m);
    assert.doesNotMatch(listed.stderr, unknown);
    const revoked = await $("revoke", "attestation", "release.json", "--reason", "leaked");
    assertEnded(
      revoked,
      0,
      "stdout",
      new RegExp(`^revoked attestation ${attestation.id}: id (\\S+), log index`),
    );
    assert.match(revoked.stdout, /^falls: 1 artifact/m);
    const [, id = ""] = /id (\S+),/.exec(revoked.stdout) ?? [];
    assertEnded(await $(...ask), 1, "stdout", /evidence-revoked/);
    assertEnded(
      await $("revocation", "ls"),
      0,
      "stdout",
      new RegExp(`^ID .*\n${id} +attestation ${attestation.id} +leaked\n$`),
    );
    assertEnded(await $("revocation", "withdraw", id, "--reason", "found"), 0, "stdout", /^withdrew/);
    assertEnded(await $(...ask), 0, "stdout", /^allow/);
  });

  test("trust is shown, and its document activates again as it is", async () => {
    const { stdout } = await $("trust", "show", "--document");
    await writeFile(path("trust.json"), stdout);
    assertEnded(await $("trust", "activate", "trust.json"), 0, "stdout", /was active already/);
    await writeFile(path("trust.json"), '{"sigstore": 1}');
    assertEnded(
      await $("trust", "activate", "trust.json"),
      1,
      "stderr",
      /code: (invalid-trust|invalid-request)/,
    );
    await writeFile(path("trust.json"), "{");
    assertEnded(await $("trust", "activate", "trust.json"), 2, "stderr", /not JSON/);
  });
});
