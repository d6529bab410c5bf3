/** The example of docs/issuers.md, as it is told there. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { bareEnvironment } from "../cli/server.ts";
import { assertEnded, vouchsafe } from "../cli/vouchsafe.ts";
import { endChild, endWithParent } from "../support/child.ts";
import { collected } from "../support/collected.ts";
import { openProgramHouse } from "../support/program-house.ts";

test("the issuer of docs/issuers.md grants what is allowed, has it recorded, and takes it back", async (t) => {
  const house = await openProgramHouse();
  t.after(() => house.close());
  const token = await house.node.token(["issuer"], { policies: ["production"] });
  const child = spawn(process.execPath, ["docs/examples/token-issuer.ts"], {
    env: { ...bareEnvironment(), VOUCHSAFE_SERVER: house.server, VOUCHSAFE_TOKEN: token, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  endWithParent(child);
  t.after(() => endChild(child));
  const [said] = await once(child.stdout, "data");
  const url = `http://127.0.0.1:${JSON.parse(String(said)).port}`;
  const ask = async (digest: string) => {
    const body = JSON.stringify({ digest, workload: "widget" });
    const response = await fetch(`${url}/token`, { method: "POST", body });
    return { status: response.status, body: (await response.json()) as { readonly token: string } };
  };
  const revoked = async () => (await (await fetch(`${url}/revoked`)).json()) as readonly string[];
  const recorded = async (digest: string) =>
    (await collected(house.operator.custodyEvents(digest)))
      .filter(({ type }) => type === "decision.recorded")
      .map(({ body: { decision, current, grantedTo, issuer } }) => [decision, current, grantedTo, issuer]);

  await writeFile(house.path("widget"), "a widget");
  const digest = await house.release(house.path("widget"));
  const granted = await ask(digest);
  assert.equal(granted.status, 200);
  const claims = JSON.parse(Buffer.from(granted.body.token.split(".")[1] ?? "", "base64url").toString());
  assert.deepEqual([claims.sub, claims.digest], ["widget", digest]);
  const grant = ["allow", "allow", "widget", "https://tokens.example"];
  assert.deepEqual(await recorded(digest), [grant]);
  assert.deepEqual(await revoked(), []);

  const unknown = `sha256:${"0".repeat(64)}`;
  assert.deepEqual(await ask(unknown), { status: 403, body: { reasons: ["no-verdict"] } });

  await house.operator.openQuarantine(digest, "a test");
  assert.deepEqual(await ask(digest), { status: 403, body: { reasons: ["quarantined"] } });
  for (let tries = 0; (await recorded(digest)).length < 2; tries += 1) {
    assert.ok(tries < 200, "what was granted was not taken back");
    await sleep(50);
  }
  assert.deepEqual(await revoked(), [claims.jti]);
  const env = { VOUCHSAFE_SERVER: house.server, VOUCHSAFE_TOKEN: await house.node.token(["auditor"]) };
  const listed = await vouchsafe(["inventory", "--issuer", "https://tokens.example", digest], {
    cwd: house.path(""),
    env,
  });
  const by = "https://tokens\\.example +\\S+ +- +\\S+ \\S+Z +- +unowned";
  assertEnded(listed, 0, "stdout", new RegExp(`^STATE .*\nrevoked +0 +widget +${by}\n {2}for ${digest}\n$`));
  const next = await vouchsafe(["inventory", "--state", "revoked", "--after", "0"], {
    cwd: house.path(""),
    env,
  });
  assertEnded(next, 0, "stderr", /^Nobody was granted an identity yet, or nobody like this\.\n$/);
  assert.equal(next.stdout, "");
  assert.deepEqual(await recorded(digest), [grant, ["deny", "deny", "widget", "https://tokens.example"]]);
});
