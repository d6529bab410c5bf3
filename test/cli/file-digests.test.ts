/** Files as artifacts: evidence calls each by whichever digest it likes. The real binary against the real server. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { DIGEST, openSession, PACKAGE, type Session, WIDGET } from "./session.ts";
import { assertEnded } from "./vouchsafe.ts";

let session: Session;
let $: Session["$"];
let json: Session["json"];
before(async () => {
  session = await openSession({ embedded: true });
  ({ $, json } = session);
  assertEnded(await $("push", "release.json", "package.json"), 0, "stdout", /^accepted/);
});
after(() => session?.close());

describe("an artifact that is given as a file", () => {
  test("it is found and stopped by whichever digest evidence calls it", async () => {
    const digest = `sha512:${hash("sha512", PACKAGE.bytes, "hex")}`;
    const ask = ["verify-digest", PACKAGE.name, "--policy", "widget-release"] as const;
    assertEnded(await $(...ask), 0, "stdout", new RegExp(`^allow ${digest}`));
    for (const show of [
      ["artifact", "show"],
      ["custody", "show"],
    ] as const)
      assertEnded(await $(...show, PACKAGE.name), 0, "stdout", new RegExp(`^${digest}`));

    const revoked = await $("revoke", "artifact", PACKAGE.name, "--dry-run");
    assertEnded(revoked, 0, "stdout", new RegExp(`${digest}\\nwould fall: 1 artifact,`));

    const added = await $("quarantine", "add", PACKAGE.name, "--reason", "broken into");
    assertEnded(added, 0, "stdout", new RegExp(`^quarantined ${digest}.*\nfalls: 1 artifact,`, "m"));
    const ids = [...added.stdout.matchAll(/^quarantined .*: id (\S+),/gm)].map(([, id = ""]) => id);
    assert.equal(ids.length, 3, "by those too that evidence may yet call it");
    assertEnded(await $("verify-digest", digest, "--policy", "widget-release"), 1, "stdout", /quarantined/);
    assertEnded(await $(...ask), 1, "stdout", /quarantined/);
    assertEnded(await $("quarantine", "lift", ...ids, "--reason", "fine"), 0, "stdout", /^(lifted .*\n){3}$/);
    assertEnded(await $(...ask), 0, "stdout", /^allow/);
  });

  test("it is denied where one of its digests is, whatever another passes", async () => {
    const digest = `sha512:${hash("sha512", WIDGET.bytes, "hex")}`;
    const { value } = await json("quarantine", "add", digest, "--reason", "ahead of its evidence");
    const ask = ["verify-digest", WIDGET.name, "--policy", "widget-release"] as const;
    assertEnded(await $(...ask), 1, "stdout", new RegExp(`^deny ${digest}`));
    assertEnded(await $("artifact", "show", WIDGET.name), 0, "stdout", new RegExp(`^${DIGEST}`));
    assertEnded(await $("quarantine", "lift", value.id, "--reason", "fine"), 0, "stdout", /^lifted/);
    assertEnded(await $(...ask), 0, "stdout", /^allow/);
  });
});
