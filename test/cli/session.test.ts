/**
 * A session at a terminal, from the first question to the offline check of a custody file: the real binary
 * against the real server. The steps build on one another and run in their order.
 */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { actionsClaims } from "../sigstore/github-actions.ts";
import { type Sigstore, startSigstore } from "../sigstore/instance.ts";
import { sha256Hex, slsaProvenance } from "../sigstore/provenance.ts";
import { type RunningServer, startServer } from "./server.ts";
import { type Ended, vouchsafe } from "./vouchsafe.ts";

const POLICIES = fileURLToPath(new URL("../demo/", import.meta.url));
const WIDGET = { name: "widget-2.0.0.tar", bytes: Buffer.from("the widget") };
const OTHER = { name: "widget-2.0.1.tar", bytes: Buffer.from("another widget") };
const DIGEST = `sha256:${sha256Hex(WIDGET.bytes)}`;
const FORK = actionsClaims({ repository: "mallory/widget" });

let directory: string;
let sigstore: Sigstore;
let server: RunningServer;
let env: Record<string, string>;

const path = (name: string) => join(directory, name);
const $ = (...args: string[]) => vouchsafe(args, { cwd: directory, env });
const as = (token: string, ...args: string[]) =>
  vouchsafe(args, { cwd: directory, env: { ...env, VOUCHSAFE_TOKEN: token } });

/** Runs with --json and gives the value on stdout, which must be all that is there. */
async function json(...args: string[]) {
  const ended = await $("--json", ...args);
  return { ...ended, value: JSON.parse(ended.stdout) };
}

function assertEnded(ended: Ended, status: number, stream: "stdout" | "stderr", expected: RegExp): void {
  assert.equal(ended.status, status, `${ended.stdout}${ended.stderr}`);
  assert.match(ended[stream], expected);
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-cli-"));
  sigstore = await startSigstore();
  await writeFile(path("local.json"), JSON.stringify(sigstore.trustedRoot));
  const VOUCHSAFE_DATA_DIR = path("data");
  server = await startServer({
    VOUCHSAFE_DATA_DIR,
    VOUCHSAFE_POLICIES: POLICIES,
    VOUCHSAFE_TRUSTED_ROOT: path("local.json"),
  });
  env = { VOUCHSAFE_SERVER: server.url, VOUCHSAFE_DATA_DIR };

  await writeFile(path(WIDGET.name), WIDGET.bytes);
  await writeFile(path("release.json"), await sigstore.signStatement(slsaProvenance([WIDGET])));
  await writeFile(path("other.json"), await sigstore.signStatement(slsaProvenance([OTHER])));
  await writeFile(
    path("fork.json"),
    await sigstore.signStatement(slsaProvenance([OTHER], FORK), { claims: FORK }),
  );
});
after(async () => {
  await server?.stop();
  await sigstore?.close();
  await rm(directory, { recursive: true, force: true });
});

describe("a session at a terminal", () => {
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
      value.results.map(({ line, status, code }: { line: number; status: string; code?: string }) => [
        line,
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

  test("artifacts are found by source and signer, and shown", async () => {
    const { value } = await json("artifact", "find", "--repository", "https://github.com/acme/widget");
    assert.ok(value.artifacts.some(({ digest }: { digest: string }) => digest === DIGEST));
    assertEnded(await $("artifact", "show", WIDGET.name), 0, "stdout", /policy widget-release passed/);
    assertEnded(await $("artifact", "find"), 2, "stderr", /--repository/);
    assertEnded(await $("artifact", "show", `sha256:${"0".repeat(64)}`), 1, "stderr", /code: not-found/);
  });

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

    const listed = await $("token", "list");
    assert.match(listed.stdout, new RegExp(`^${id} expires .* uploader .*ci$`, "m"));
    assert.ok(!listed.stdout.includes(token.slice(-43)));

    assertEnded(await $("token", "revoke", id), 0, "stdout", new RegExp(`^revoked ${id}`));
    assertEnded(await as(token, "push", "release.json"), 1, "stderr", /code: unauthenticated/);
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

  test("quarantine denies what passed, and lifting it allows again", async () => {
    const { value } = await json("quarantine", "add", WIDGET.name, "--reason", "looks odd\u001b[2J");
    assertEnded(
      await $("verify-digest", DIGEST, "--policy", "widget-release"),
      1,
      "stdout",
      /quarantined: .*looks odd\\u001b/,
    );
    assertEnded(await $("quarantine", "list"), 0, "stdout", new RegExp(`^${value.id} ${DIGEST}`));
    assertEnded(await $("quarantine", "lift", value.id, "--reason", "it is fine"), 0, "stdout", /^lifted/);
    assertEnded(await $("quarantine", "lift", value.id, "--reason", "again"), 1, "stderr", /code: not-found/);
    assertEnded(await $("verify-digest", DIGEST, "--policy", "widget-release"), 0, "stdout", /^allow/);
  });

  test("a policy with mistakes: each shown with a caret, by lint offline and by activate from the server", async () => {
    const text = await readFile(join(POLICIES, "policy.yaml"), "utf8");
    await mkdir(path("bad"));
    await writeFile(path("bad/policy.yaml"), text.replace("  signers:", "  singers:"));
    const line = text.split("\n").indexOf("  signers:") + 1;
    const shown = new RegExp(`^policy\\.yaml:${line}:3: .*\\n {4}singers:\\n {4}\\^`, "m");
    assertEnded(await vouchsafe(["policy", "lint", "bad"], { cwd: directory }), 1, "stderr", shown);
    assertEnded(await $("policy", "activate", "bad"), 1, "stderr", shown);
  });

  test("activating policies says what changes; the same again changes nothing", async () => {
    await mkdir(path("policies"));
    const text = await readFile(join(POLICIES, "policy.yaml"), "utf8");
    await writeFile(path("policies/strict.yaml"), text.replace("widget-release", "strict"));
    await writeFile(path("policies/strict.test.yaml"), "not: [a policy");
    const activated = await $("policy", "activate", "policies");
    assertEnded(activated, 0, "stdout", /^active sha256:[0-9a-f]{64}: recorded at log index \d+\n/);
    assert.match(activated.stdout, /^ {2}added strict /m);
    assert.match(activated.stdout, /^ {2}removed widget-release$/m);
    assertEnded(
      await $("policy", "activate", "policies"),
      0,
      "stdout",
      /was active already\n {2}same strict /,
    );
    assertEnded(await $("policy", "show", "--text"), 0, "stdout", /^# strict\.yaml\n/);
    assertEnded(
      await $("verify-digest", DIGEST, "--policy", "widget-release"),
      1,
      "stdout",
      /unknown-policy/,
    );
    assertEnded(await $("verify-digest", DIGEST, "--policy", "strict"), 0, "stdout", /^allow/);
    assertEnded(await $("policy", "activate", POLICIES), 0, "stdout", /^active/);
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

  test("the chain of custody is shown, exported once, and verified offline", async () => {
    const { stdout: key } = await $("log", "key");
    await writeFile(path("log.key"), key);
    assertEnded(
      await $("custody", "show", WIDGET.name),
      0,
      "stdout",
      /evidence\.accepted[\s\S]*quarantine\.lifted/,
    );
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

    const offline = (file: string, logKey: string) =>
      vouchsafe(["custody", "verify", file, "--log-key", logKey], { cwd: directory });
    for (const logKey of [key.trim(), "log.key"]) {
      assertEnded(await offline("custody.jsonl", logKey), 0, "stdout", /^holds /);
    }
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
    assert.equal(stdout, await (await fetch(`${server.url}/log/checkpoint`)).text());
  });

  test("what is wrong with the command line ends with 2, and nothing was asked", async () => {
    for (const args of [
      [],
      ["pusch"],
      ["push"],
      ["push", "release.json", "not-there.json"],
      ["verify-digest", "not-there"],
      ["log", "key", "--colour"],
      ["log", "key", "--server", "not a url"],
      ["token", "create", "--name", "x", "--role", "uploader", "--expires-in", "soon"],
    ]) {
      const { status, stdout } = await $(...args);
      assert.deepEqual({ status, stdout }, { status: 2, stdout: "" }, args.join(" "));
    }
  });

  test("help and version are results", async () => {
    assertEnded(await $("--help"), 0, "stdout", /Exit status:/);
    assertEnded(await $("custody", "verify", "--help"), 0, "stdout", /--log-key/);
    assertEnded(await $("--version"), 0, "stdout", /^\d+\.\d+\.\d+\n$/);
  });

  test("the server has ended: status 3, and what to do", async () => {
    await server.stop();
    assertEnded(await $("push", "release.json"), 3, "stderr", /npm start[\s\S]*code: unreachable/);
    const { status, stdout, stderr } = await $("--json", "verify-digest", DIGEST);
    assert.deepEqual({ status, stdout }, { status: 3, stdout: "" });
    assert.equal(JSON.parse(stderr).error.code, "unreachable");
  });

  test("migrate brings an embedded database up to date, and refuses a configuration that is none", async () => {
    assertEnded(await $("migrate"), 0, "stdout", /^migrated/);
    assert.equal((await stat(path("data"))).mode & 0o777, 0o700);
    assertEnded(
      await vouchsafe(["migrate"], { cwd: directory, env: { MIGRATE_DATABASE_URL: "mysql://x" } }),
      2,
      "stderr",
      /code: configuration-invalid/,
    );
  });
});
