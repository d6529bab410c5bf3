import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { parseEnvelope, parseJson, preAuthenticationEncoding } from "../../src/in-toto-attestation/index.ts";
import { DIGEST, openSession, type Session, WIDGET } from "./session.ts";
import { assertEnded } from "./vouchsafe.ts";

const POLICY = ["--policy", "widget-release"];

describe("vouchsafe verify-digest --vsa", () => {
  let session: Session;
  let path: Session["path"];
  let $: Session["$"];
  before(async () => {
    session = await openSession();
    ({ path, $ } = session);
  });
  after(() => session?.close());

  test("writes nothing of what is denied, and leaves the file as it is", async () => {
    await writeFile(path("kept.json"), "an older one");
    const ended = await $("verify-digest", WIDGET.name, ...POLICY, "--vsa", "kept.json");
    assertEnded(ended, 1, "stdout", /^deny /);
    assert.equal(await readFile(path("kept.json"), "utf8"), "an older one");
  });

  test("writes a summary of what is allowed, which the printed key verifies", async () => {
    await $("push", "release.json");
    for (const file of ["kept.json", "kept.json", "new.json"]) {
      const ended = await $("verify-digest", WIDGET.name, ...POLICY, "--vsa", file);
      assertEnded(ended, 0, "stdout", new RegExp(`^allow ${DIGEST}[^]*wrote ${file}`));
    }
    const { stdout: pem } = await $("vsa", "key");
    const envelope = parseEnvelope(parseJson(await readFile(path("kept.json"))));
    const [signature] = envelope.signatures;
    const signed = preAuthenticationEncoding(envelope.payloadType, envelope.payload);
    assert.ok(signature && verify(null, signed, createPublicKey(pem), signature.sig));
    const { value } = await session.json("vsa", "key");
    assert.deepEqual(value, { keyId: signature.keyid, publicKey: pem });
  });

  test("--json gives the decision, and the file besides", async () => {
    const { status, value } = await session.json("verify-digest", DIGEST, ...POLICY, "--vsa", "json.json");
    assert.equal(status, 0);
    assert.equal(value.decision, "allow");
    assert.ok(JSON.parse(await readFile(path("json.json"), "utf8")).payload);
  });

  test("says so where the file cannot be written", async () => {
    const ended = await $("verify-digest", DIGEST, ...POLICY, "--vsa", "no/where.json");
    assertEnded(ended, 2, "stderr", /no\/where\.json cannot be written/);
  });
});
