/**
 * A session at a terminal, from the first question to the offline check of a custody file: the real binary
 * against the real server. The steps build on one another and run in their order.
 */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { parseCheckpoint } from "../../src/tlog/checkpoint.ts";
import { leafHash } from "../../src/tlog/hash.ts";
import { ed25519Signer } from "../../src/tlog/note.ts";
import { rootFromInclusion } from "../../src/tlog/proofs.ts";
import { sha256Hex, slsaProvenance } from "../sigstore/provenance.ts";
import { layerDescriptor } from "../verify/formats/same-signature.ts";
import { DIGEST, OTHER, openSession, POLICIES, type Session, WIDGET } from "./session.ts";
import { assertEnded } from "./vouchsafe.ts";

let session: Session;
let path: Session["path"];
let $: Session["$"];
let json: Session["json"];
before(async () => {
  session = await openSession({ embedded: true });
  ({ path, $, json } = session);
});
after(() => session?.close());

describe("a session at a terminal", () => {
  test("who asks, to the server", async () => {
    const operator =
      /^[0-9a-f]{16}\n {2}name {6}made at a start\n {2}project {3}default\n {2}roles {5}operator\n/;
    assertEnded(await $("whoami"), 0, "stdout", operator);
    assert.equal((await json("whoami")).value.rule, null);
  });

  test("nobody has vouched for the artifact: denied, status 1", async () => {
    assertEnded(
      await $("verify-digest", WIDGET.name, "--policy", "widget-release"),
      1,
      "stdout",
      /^deny sha256:/,
    );
    const { status, value } = await json("verify-digest", DIGEST, "--policy", "widget-release");
    assert.equal(status, 1);
    assert.equal(value.digest, DIGEST, "a file is asked about by its sha256");
    assert.equal(value.reasons[0].code, "no-verdict");
  });

  test("pushing its provenance, twice: accepted, and then known", async () => {
    assertEnded(
      await $("push", "release.json"),
      0,
      "stdout",
      /^accepted release\.json: .* log index \d+\n {2}policy widget-release passed/,
    );
    assertEnded(await $("push", "release.json"), 0, "stdout", /^known release\.json/);
  });

  test("allowed, status 0", async () => {
    assertEnded(
      await $("verify-digest", WIDGET.name, "--policy", "widget-release"),
      0,
      "stdout",
      /^allow sha256:/,
    );
    const { value } = await json("verify-digest", WIDGET.name, "--policy", "widget-release");
    assert.equal(value.slsaLevel, 3);
  });

  test("of several files one is refused: named with its code, status 1, and the others are recorded", async () => {
    const forged = JSON.parse(await readFile(path("release.json"), "utf8"));
    forged.dsseEnvelope.payload = Buffer.from(JSON.stringify(slsaProvenance([OTHER]))).toString("base64");
    await writeFile(path("forged.json"), JSON.stringify(forged));

    const ended = await $("push", "forged.json", "other.json");
    assertEnded(ended, 1, "stderr", /^refused forged\.json: .*\((signature|log-entry)-invalid\)$/m);
    assert.match(ended.stdout, /^accepted other\.json/);
    assert.ok(!ended.stdout.includes("refused"), "what is refused is no result");
    assert.ok(!ended.stderr.includes("\u001b"), "no colour and no progress line without a terminal");
  });

  test("JSON Lines are split, and a refused line is named by its number in the file", async () => {
    const lines = [
      await readFile(path("release.json"), "utf8"),
      "",
      '{"no":"evidence"}',
      await readFile(path("fork.json"), "utf8"),
    ];
    await writeFile(path("many.jsonl"), lines.join("\n"));
    const { status, value } = await json("push", "many.jsonl");
    assert.equal(status, 1);
    assert.deepEqual(
      value.results.map(({ item, status, code }: { item: number; status: string; code?: string }) => [
        item,
        status,
        code,
      ]),
      [
        [1, "known", undefined],
        [3, "refused", "unknown-evidence-format"],
        [4, "accepted", undefined],
      ],
    );
  });

  test("a registry's list is pushed piece by piece, and a layer with its manifest", async () => {
    const bundle = JSON.parse(await readFile(path("release.json"), "utf8"));
    await writeFile(path("list.json"), JSON.stringify({ attestations: [{ bundle }, { bundle: {} }] }));
    assertEnded(
      await $("push", "list.json"),
      1,
      "stderr",
      /^refused list\.json:2: .*\(unknown-evidence-format\)$/m,
    );

    const envelope = Buffer.from(JSON.stringify(bundle.dsseEnvelope));
    await writeFile(path("blob"), envelope);
    await writeFile(path("manifest.json"), JSON.stringify({ layers: [layerDescriptor(bundle, envelope)] }));
    const pushed = await $("push", "blob", "--oci-manifest", "manifest.json");
    assertEnded(pushed, 0, "stdout", /^accepted blob: /);
    assertEnded(
      await $("push", "release.json", "--oci-manifest", "manifest.json"),
      2,
      "stderr",
      /is no layer/,
    );
  });

  test("a manifest is recorded as what it is, and tells what contains what", async () => {
    const layer = { mediaType: "application/octet-stream", digest: DIGEST, size: WIDGET.bytes.length };
    const image = JSON.stringify({ schemaVersion: 2, config: layer, layers: [layer] }, null, 2);
    await writeFile(path("image.json"), image);
    const digest = `sha256:${sha256Hex(Buffer.from(image))}`;
    assertEnded(
      await $("push", "image.json"),
      0,
      "stdout",
      new RegExp(`^accepted image.json: manifest of ${digest}`),
    );
    assertEnded(await $("push", "image.json"), 0, "stdout", /^known image.json/);
    assertEnded(await $("artifact", "show", WIDGET.name), 0, "stdout", new RegExp(`contained in ${digest}`));
    assertEnded(await $("artifact", "show", digest), 0, "stdout", new RegExp(`contains ${DIGEST}`));
    await writeFile(path("image.json"), '{"schemaVersion":1}');
    assertEnded(
      await $("push", "image.json"),
      1,
      "stderr",
      /^refused image.json: .*\(malformed-manifest\)$/m,
    );
  });

  test("artifacts are found by source and signer, and shown", async () => {
    const { value } = await json("artifact", "find", "--repository", "https://github.com/acme/widget");
    assert.ok(value.artifacts.some(({ digest }: { digest: string }) => digest === DIGEST));
    assertEnded(await $("artifact", "show", WIDGET.name), 0, "stdout", /policy widget-release passed/);
    assertEnded(await $("artifact", "find"), 2, "stderr", /--repository/);
    assertEnded(await $("artifact", "find", "--commit", "abc"), 0, "stderr", /^No evidence is about/);
    const report = await $("policy", "report", "--artifact", DIGEST);
    assertEnded(report, 0, "stdout", /^nobody would have been denied$/m);
    assertEnded(await $("policy", "report", "--since", "monday"), 2, "stderr", /code: invalid-request/);
    assertEnded(await $("artifact", "show", `sha256:${"0".repeat(64)}`), 1, "stderr", /code: not-found/);
  });

  test("quarantine denies what passed, and lifting it allows again", async () => {
    const steering = await $("quarantine", "add", WIDGET.name, "--reason", "looks odd\u001b[2J");
    assertEnded(steering, 2, "stderr", /code: invalid-request/);
    const repository = ["--repository", "https://github.com/acme/widget"] as const;
    const preview = /^nothing is quarantined; by repository \S+\nwould fall: 2 artifacts, /;
    assertEnded(await $("quarantine", "add", ...repository, "--dry-run"), 0, "stdout", preview);
    const two = await $("quarantine", "add", DIGEST, ...repository, "--reason", "both");
    assertEnded(two, 2, "stderr", /Say one thing/);
    const { value } = await json("quarantine", "add", WIDGET.name, "--reason", "looks odd\u202e");
    assertEnded(
      await $("verify-digest", DIGEST, "--policy", "widget-release"),
      1,
      "stdout",
      /quarantined: .*looks odd\\u202e/,
    );
    assertEnded(
      await $("quarantine", "ls"),
      0,
      "stdout",
      new RegExp(`^ID .*\n${value.id} +${DIGEST} +looks odd`),
    );
    const ids = [value, ...value.also].map(({ id }) => id);
    assertEnded(await $("quarantine", "lift", ...ids, "--reason", "it is fine"), 0, "stdout", /^lifted/);
    assertEnded(await $("quarantine", "lift", value.id, "--reason", "again"), 1, "stderr", /code: not-found/);
    assertEnded(await $("verify-digest", DIGEST, "--policy", "widget-release"), 0, "stdout", /^allow/);
  });

  test("the chain of custody is shown, exported once, and verified offline", async () => {
    const { stdout: key } = await $("log", "key");
    await writeFile(path("log.key"), key);
    const tree =
      /^sha256:.*\nwidget[\s\S]*\|- source\n[\s\S]*\|- verdicts\n\| {2}`- passed widget-release[\s\S]*`- quarantines\n {3}`- lifted/;
    assertEnded(await $("custody", "show", WIDGET.name), 0, "stdout", tree);
    const events = /evidence\.accepted[\s\S]*quarantine\.lifted/;
    assertEnded(await $("custody", "show", DIGEST, "--events"), 0, "stdout", events);
    const lifted = ["custody", "show", DIGEST, "--type", "quarantine.lifted"] as const;
    assertEnded(await $(...lifted), 0, "stdout", /^#\d+ [^\n]* quarantine\.lifted it is fine\n1 events/);
    assertEnded(await $(...lifted, "--as-of", "2"), 1, "stderr", /code: not-found/);
    assertEnded(await $(...lifted, "--type", "lifted"), 2, "stderr", /quarantine\.lifted/);
    assertEnded(
      await $("custody", "export", WIDGET.name, "--output", "custody.jsonl"),
      0,
      "stdout",
      /^wrote custody\.jsonl/,
    );
    assertEnded(
      await $("custody", "export", WIDGET.name, "--output", "custody.jsonl"),
      2,
      "stderr",
      /--output/,
    );
    const copy = await $("custody", "export", DIGEST, "--output", "-");
    assert.equal(copy.stdout, await readFile(path("custody.jsonl"), "utf8"));

    const { value: told } = await json("custody", "show", DIGEST);
    const read = await session.offline(["--json", "custody", "show", "custody.jsonl"]);
    const { summary, events: all } = JSON.parse(read.stdout);
    assert.deepEqual(summary, told.summary);
    assert.ok(
      told.events.every(({ index }: { index: number }) =>
        all.some((one: { index: number }) => one.index === index),
      ),
    );
    assertEnded(await session.offline(["custody", "show", "custody.jsonl"]), 0, "stdout", tree);
    assertEnded(await $("custody", "show", "custody.jsonl", "--as-of", "3"), 2, "stderr", /its own log size/);

    const offline = (file: string, logKey: string) =>
      session.offline(["custody", "verify", file, "--log-key", logKey]);
    for (const logKey of [key.trim(), "log.key"])
      assertEnded(await offline("custody.jsonl", logKey), 0, "stdout", /^holds /);
    const readOn = ["custody", "verify", "custody.jsonl", "--log-key", "log.key"];
    const complete = /^holds No entry from \d+ on that is not in the file continues/m;
    const log = ["--log", `${session.server.url}/log`];
    assertEnded(await session.offline([...readOn, ...log]), 0, "stdout", complete);
    const astray = await session.offline([...readOn, "--log", session.server.url]);
    assertEnded(astray, 2, "stderr", /--log takes the URL that its checkpoint is below/);
    const away = await session.offline([...readOn, "--log", "http://127.0.0.1:1"]);
    assertEnded(away, 3, "stderr", /Name another with --log\n {2}code: outbound-failed/);
    const held = [...readOn, "--policy", POLICIES, "--trusted-root", "local.json"];
    const judged = /^holds Judged by the policy widget-release .*, under the trust given, .* passes/m;
    assertEnded(await session.offline(held), 0, "stdout", judged);
    const { verifierKey } = ed25519Signer("vouchsafe.local/log", generateKeyPairSync("ed25519").privateKey);
    assertEnded(await offline("custody.jsonl", verifierKey), 1, "stderr", /log key --trusted KEY/);
    assertEnded(await offline("custody.jsonl", "no.key"), 2, "stderr", /no\.key/);
    assertEnded(await offline("log.key", "log.key"), 1, "stderr", /code: pack-invalid/);

    const bytes = await readFile(path("custody.jsonl"));
    const salt = bytes.indexOf('"salt":"') + 10;
    bytes[salt] = bytes[salt] === 0x41 ? 0x42 : 0x41;
    await writeFile(path("altered.jsonl"), bytes);
    assertEnded(await offline("altered.jsonl", "log.key"), 1, "stdout", /^fails /m);
  });

  test("the log's checkpoint is the signed note as it is", async () => {
    const { stdout } = await $("log", "checkpoint");
    assert.equal(stdout, await (await fetch(`${session.server.url}/log/checkpoint`)).text());
  });

  test("an entry's proof is a tlog-proof that leads to its checkpoint, and other numbers are none", async () => {
    const bundle = await fetch(`${session.server.url}/log/tile/entries/000.p/1`);
    const leaf = new Uint8Array(await bundle.arrayBuffer()).subarray(2);
    const { stdout } = await $("log", "proof", "0");
    const [head = "", text = ""] = stdout.split("\n\n");
    const [format, index, ...hashes] = head.split("\n");
    assert.deepEqual([format, index], ["c2sp.org/tlog-proof@v1", "index 0"]);
    const { size, root } = parseCheckpoint(`${text}\n`);
    const proof = hashes.map((hash) => Buffer.from(hash, "base64"));
    assert.deepEqual(rootFromInclusion(leafHash(leaf), 0, size, proof), root);

    const { value } = await json("log", "proof", "0");
    assert.deepEqual(value.inclusionProof, hashes);
    assertEnded(await $("log", "proof", "one"), 2, "stderr", /whole number/);
    assertEnded(await $("log", "proof", "999999"), 1, "stderr", /code: not-found/);
  });

  test("the server has ended: status 3, and what to do", async () => {
    await session.server.stop();
    assertEnded(await $("push", "release.json"), 3, "stderr", /npm start[\s\S]*code: unreachable/);
    const { status, stdout, stderr } = await $("--json", "verify-digest", DIGEST);
    assert.deepEqual({ status, stdout }, { status: 3, stdout: "" });
    assert.equal(JSON.parse(stderr).error.code, "unreachable");
  });

  test("migrate brings an embedded database up to date, and refuses a configuration that is none", async () => {
    assertEnded(await $("migrate"), 0, "stdout", /^migrated/);
    assert.equal((await stat(path("data"))).mode & 0o777, 0o700);
    assertEnded(
      await session.offline(["migrate"], { MIGRATE_DATABASE_URL: "mysql://x" }),
      2,
      "stderr",
      /code: configuration-invalid/,
    );
  });
});
