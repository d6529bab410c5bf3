import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { askUntilAllowed } from "../../src/action/gate.ts";
import { subjectsOf } from "../../src/action/subjects.ts";
import { type Client, createClient } from "../../src/client/client.ts";
import { DIGEST, openSession, PACKAGE, type Session, WIDGET } from "../cli/session.ts";
import { assertEnded } from "../cli/vouchsafe.ts";

let session: Session;
let client: Client;
before(async () => {
  session = await openSession({ embedded: true });
  const token = await readFile(session.path("data/operator-token"), "utf8");
  client = createClient({ server: session.server.url, token });
  assertEnded(await session.$("push", "release.json", "package.json"), 0, "stdout", /^accepted/);
});
after(() => session?.close());

const sha512 = (bytes: Uint8Array) => `sha512:${hash("sha512", bytes, "hex")}`;

test("a file is asked about by all its digests, and denied where one of them is", async () => {
  const subjects = await subjectsOf({ subjectPath: `${WIDGET.name},${PACKAGE.name}` }, session.path("."));
  const ask = async () => {
    const artifacts = [...(subjects ?? []).map(({ digests }) => digests), []];
    const gate = { policy: "widget-release", wait: 0, onWaiting: () => assert.fail("it waits for nothing") };
    const decisions = await askUntilAllowed(client, artifacts, gate);
    return decisions.map((one) => one && [one.decision, one.digest]);
  };
  const allowed = ["allow", sha512(PACKAGE.bytes)];
  assert.deepEqual(await ask(), [["allow", DIGEST], allowed, undefined]);

  const stopped = sha512(WIDGET.bytes);
  const quarantined = await session.$("quarantine", "add", stopped, "--reason", "ahead of its evidence");
  assertEnded(quarantined, 0, "stdout", /^quarantined/);
  assert.deepEqual(await ask(), [["deny", stopped], allowed, undefined]);
});
