import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { ed25519Signer } from "../../src/tlog/note.ts";
import { assertEnded, type Run, vouchsafe } from "./vouchsafe.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-unread-"));
  await writeFile(join(directory, "artifact"), "");
  await writeFile(join(directory, "evidence.json"), "{}");
});
after(() => rm(directory, { recursive: true, force: true }));

const $ = (args: readonly string[], run: Omit<Run, "cwd"> = {}) =>
  vouchsafe(args, { cwd: directory, ...run });

/** Evidence that is none, by somebody in particular: it is refused without a server. */
const REFUSED = [
  ...["verify", "artifact", "--bundle", "evidence.json"],
  ...["--certificate-identity", "a@b.example", "--certificate-oidc-issuer", "https://b.example"],
];

/** A server that answers everything thus. */
async function answering(t: TestContext, answer: RequestListener): Promise<{ VOUCHSAFE_SERVER: string }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { VOUCHSAFE_SERVER: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe("an output that nobody reads, or that cannot be written", () => {
  test("what is refused is refused, whether its reader stays or not", async () => {
    assertEnded(await $(REFUSED), 1, "stdout", /^refused artifact$/m);
    for (const stdout of ["unread", "left"] as const) {
      assert.equal((await $(REFUSED, { stdout })).status, 1, stdout);
      assert.equal((await $([...REFUSED, "--json"], { stdout })).status, 1, stdout);
    }
    assert.equal((await $(["help", "exit-codes"], { stdout: "unread" })).status, 0);
  });

  test("an answer that no disk takes is none: status 3, and a sentence", async (t) => {
    const full = await open("/dev/full", "w").catch(() => t.skip("no /dev/full here"));
    if (full === undefined) return;
    const told = /^error: ENOSPC: [^\n]+\n {2}code: system\n$/m;
    assertEnded(await $(REFUSED, { stdout: full.fd }), 3, "stderr", told);
    const env = await answering(t, (_, response) => response.end("a custody file"));
    const exporting = ["custody", "export", DIGEST, "--output", "-"];
    assertEnded(await $(exporting, { env, stdout: full.fd }), 3, "stderr", told);
    await full.close();
  });

  test("an export whose reader has left ends, and was not done", async (t) => {
    const env = await answering(t, (_, response) => {
      const piece = "a line\n".repeat(1000);
      const go = () => {
        while (!response.destroyed && response.write(piece));
      };
      response.on("drain", go);
      go();
    });
    const ended = await $(["custody", "export", DIGEST, "--output", "-"], { env, stdout: "left" });
    assertEnded(ended, 3, "stderr", /EPIPE/);
  });

  test("following the log ends when nobody follows it any more", async (t) => {
    const env = await answering(t, ({ url }, response) => {
      if (url === "/log/checkpoint") return void response.end("vouchsafe.test/log\n0\n");
      response.setHeader("content-type", "text/event-stream");
      const event = {
        index: 0,
        type: "quarantine.lifted",
        time: "2026-03-01T12:00:00Z",
        about: [],
        body: {},
      };
      const sending = setInterval(() => response.write(`data: ${JSON.stringify(event)}\n\n`), 20);
      response.once("close", () => clearInterval(sending));
    });
    assert.equal((await $(["log", "follow", "--json"], { env, stdout: "left" })).status, 0);
  });

  test("a monitor whose alarm nobody hears ends as one that found it", async (t) => {
    const env = await answering(t, (_, response) => response.end("no log"));
    const { verifierKey } = ed25519Signer("vouchsafe.test/log", generateKeyPairSync("ed25519").privateKey);
    const soon = ["--patience", "1s", "--interval", "1s"];
    const monitor = [
      "log",
      "monitor",
      "--log-key",
      verifierKey,
      "--state",
      join(directory, "state"),
      ...soon,
    ];
    assert.equal((await $(monitor, { env, stdout: "unread" })).status, 1);
  });
});
