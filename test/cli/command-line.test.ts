import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ed25519Signer } from "../../src/tlog/note.ts";
import { assertEnded, vouchsafe } from "./vouchsafe.ts";

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-cli-"));
  await writeFile(join(directory, "release.json"), "{}");
});
after(() => rm(directory, { recursive: true, force: true }));

const EMPTY_SIGNER = ["--certificate-identity", "", "--certificate-oidc-issuer", ""];
const KEY = ed25519Signer("log.example", generateKeyPairSync("ed25519").privateKey).verifierKey;

/** No server answers there: to ask one would end with 3. */
const $ = (...args: string[]) =>
  vouchsafe(args, { cwd: directory, env: { VOUCHSAFE_SERVER: "http://127.0.0.1:1", VOUCHSAFE_TOKEN: "x" } });

describe("the command line", () => {
  test("what is wrong with the command line ends with 2, and nothing was asked", async () => {
    for (const args of [
      [],
      ["pusch"],
      ["push"],
      ["push", "release.json", "not-there.json"],
      ["verify-digest", "not-there"],
      ["trust", "import", "not-there.pem"],
      ["log", "key", "--colour"],
      ["log", "key", "--server", "not a url"],
      ["approve", "release.json", "--withdraw", "id"],
      [
        "exception",
        "grant",
        "release.json",
        "--policy",
        "p",
        "--owner",
        "o",
        "--reason",
        "r",
        "--for",
        "a while",
      ],
      ["token", "create", "--name", "x", "--role", "uploader", "--expires-in", "soon"],
      ["token", "create", "--name", "", "--role", "uploader"],
      ["verify-digest", `sha256:${"0".repeat(64)}`, "--policy", ""],
      ["verify", "release.json", "--bundle", "release.json", ...EMPTY_SIGNER],
      ["token", "revoke", ""],
      ["custody", "verify", "release.json", "--log-key", "release.json"],
      ["custody", "verify", "release.json", "--log-key", KEY, "--witnesses", "release.json"],
      ["log", "export", "--from", "5", "--to", "2", "--output", "-"],
    ]) {
      const { status, stdout } = await $(...args);
      assert.deepEqual({ status, stdout }, { status: 2, stdout: "" }, args.join(" "));
    }
  });

  test("what is wrong with the command line is told to programs as a value, and to people as a sentence", async () => {
    for (const args of [["pusch"], ["push"], ["token", "create", "--name", "x", "--role", "uploder"]]) {
      const { error } = JSON.parse((await $(...args, "--json")).stderr);
      assert.deepEqual([error.code, (await $(...args)).stderr], ["usage", `error: ${error.detail}\n`]);
    }
  });

  test("what asks the server is a part of the trace in TRACEPARENT", async (t) => {
    const heard: unknown[] = [];
    const server = createServer((request, response) => {
      heard.push(request.headers.traceparent);
      response.writeHead(401).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const TRACEPARENT = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    const settings = { VOUCHSAFE_SERVER: `http://127.0.0.1:${port}`, VOUCHSAFE_TOKEN: "x" };
    for (const env of [settings, { ...settings, TRACEPARENT }])
      await vouchsafe(["whoami"], { cwd: directory, env });
    assert.deepEqual(heard, [undefined, TRACEPARENT]);
  });

  test("what is no decision allows nothing, whatever it says: status 3", async (t) => {
    const server = createServer((_, response) => response.end('{"decision":"allow"}'));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => server.close());
    const env = { VOUCHSAFE_SERVER: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
    const asking = ["verify-digest", `sha256:${"a".repeat(64)}`];
    const ended = await vouchsafe(asking, { cwd: directory, env });
    assertEnded(ended, 3, "stderr", /^error: The server answered with no decision/);
    assert.equal(ended.stdout, "");
  });

  test("help waits for nothing large: of all packages it loads commander alone", async () => {
    const hooks = new URL("packages-loaded.mjs", import.meta.url).href;
    const env = { NODE_OPTIONS: `--import=${hooks}` };
    assert.equal((await vouchsafe(["--help"], { cwd: directory, env })).stderr, "commander\n");
  });

  test("an older Node than package.json asks for says so", async () => {
    const { engines } = JSON.parse(await readFile("package.json", "utf8"));
    const older =
      'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "23.9.0" } })';
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(older)}` };
    const ended = await vouchsafe(["--version"], { cwd: directory, env });
    const needed = `error: Node ${engines.node.slice(2)} or newer is needed, and this is 23.9.0\n`;
    assert.deepEqual(ended, { status: 2, stdout: "", stderr: needed });
  });

  test("by itself it says what to do first, and how each command is called by help", async () => {
    assertEnded(await $(), 2, "stderr", /vouchsafe verify FILE[\s\S]*--help lists every command/);
    assertEnded(
      await $("help", "policy", "lint"),
      0,
      "stdout",
      /^Usage: vouchsafe policy lint[\s\S]*Needs: +no server/,
    );
    assertEnded(await $("help", "polcy"), 2, "stderr", /no command `polcy`: did you mean `policy`/);
    assertEnded(await $("help", "policy", "lnt"), 2, "stderr", /`policy lnt`: did you mean `lint`/);
    assertEnded(await $("help", "exit-codes"), 0, "stdout", /^Exit status:\n {2}0 /);
    assertEnded(await $("polcy"), 2, "stderr", /Did you mean policy\?/);
    assertEnded(await $("push", "--sever", "x", "f"), 2, "stderr", /Did you mean --server\?/);
  });

  test("where there are no policies here, a policy is not looked for by its name", async () => {
    const ended = await $("policy", "explain", "nosuch");
    assertEnded(ended, 2, "stderr", /no file nosuch, and no directory policies here/);
  });

  test("help and version are results", async () => {
    assertEnded(await $("--help"), 0, "stdout", /Exit status:/);
    assertEnded(await $("custody", "verify", "--help"), 0, "stdout", /--log-key/);
    assertEnded(await $("--version"), 0, "stdout", /^\d+\.\d+\.\d+\n$/);
  });
});
