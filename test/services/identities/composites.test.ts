import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { readEvents } from "../../../src/db/log.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import { listRegistrations } from "../../../src/services/agents/registrations.ts";
import { issueX509Svids } from "../../../src/services/identities/issue-svid.ts";
import { openQuarantine } from "../../../src/services/incidents/quarantine.ts";
import type { TestNode } from "../../http/node.ts";
import { packOf } from "../../support/packs.ts";
import { callerWith } from "../release-node.ts";
import {
  agentCaller,
  type IdentityHouse,
  newKey,
  openIdentityHouse,
  release,
  SELECTORS,
} from "./identity-house.ts";

const PROMPTS = "composite/prompts";

describe("an identity of several components", () => {
  let house: IdentityHouse;
  let node: TestNode;
  before(async () => {
    house = await openIdentityHouse();
    node = await house.open();
  });
  after(() => house.close());

  const fetch = (components: Record<string, string[]>, absent: Record<string, string> = {}) =>
    issueX509Svids(node.v, agentCaller(node, "composer"), {
      csr: newKey().csr,
      selectors: SELECTORS,
      components,
      absent,
    });

  test("is granted for all that is asked for; the log has all that was attested, and each chain verifies", async () => {
    const [image, prompts] = [(await release(house, node)).digest, (await release(house, node)).digest];
    const executable = sha256(randomBytes(9));
    const { svids } = await fetch({ executable: [executable], image: [image], [PROMPTS]: [prompts] });
    const [event] = await readEvents(node.v.database.kysely, node.v.project, [svids[0]?.receipt.index ?? 0]);
    assert.ok(event);
    assert.deepEqual(event.about.toSorted(), [image, prompts].toSorted());
    assert.deepEqual(event.body.digests, [image, prompts]);
    assert.deepEqual(Object.assign({}, event.body.components), {
      executable: [executable],
      image: [image],
      [PROMPTS]: [prompts],
    });
    for (const digest of [image, prompts]) {
      const pack = await packOf(node.v, callerWith(node, ["auditor"]), digest);
      const { checks } = verifyPack(pack, node.v.log.verifierKey);
      assert.deepEqual(
        checks.filter(({ status }) => status !== "holds"),
        [],
      );
      assert.ok(checks.some(({ check, statement }) => check === "identity" && statement.includes(digest)));
    }
  });

  test("is denied when one component is denied, and when one is missing with what the agent says of it", async () => {
    const [image, prompts] = [(await release(house, node)).digest, (await release(house, node)).digest];
    const unknown = sha256(randomBytes(9));
    await assert.rejects(fetch({ image: [image], [PROMPTS]: [unknown] }), deniedBy("no-verdict"));
    await assert.rejects(fetch({ image: [image], [PROMPTS]: [prompts, unknown] }), deniedBy("no-verdict"));
    await assert.rejects(fetch({ image: [image] }), deniedBy("component-missing"));
    await assert.rejects(fetch({ image: [image] }, { [PROMPTS]: "file-changed" }), deniedBy("file-changed"));
    await assert.rejects(fetch({ image: [image] }, { [PROMPTS]: "of-later" }), deniedBy("component-missing"));
    await assert.rejects(
      fetch({ image: [image], "beside/prompts": [prompts] }),
      deniedBy("component-missing"),
    );
    await openQuarantine(node.v, callerWith(node, ["operator"]), { artifact: prompts, reason: "jailbreak" });
    await assert.rejects(fetch({ image: [image], [PROMPTS]: [prompts] }), deniedBy("quarantined"));
  });

  test("an agent is told which files are asked for where it may ask, and nobody else is", async () => {
    assert.deepEqual(await listRegistrations(node.v, agentCaller(node, "composer")), [
      {
        workload: "composite",
        selectors: ["unix:uid:1000", "unix:gid:*"],
        files: { prompts: ["/etc/agent/*.md"] },
      },
    ]);
    assert.deepEqual(await listRegistrations(node.v, agentCaller(node, "node-1")), []);
  });
});

function deniedBy(code: string) {
  return (error: { code?: string; extensions?: { reasons: { code: string }[] } }) => {
    assert.equal(error.code, "identity-denied");
    assert.deepEqual(
      error.extensions?.reasons.map((reason) => reason.code),
      [code],
    );
    return true;
  };
}
