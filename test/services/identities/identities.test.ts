import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { verifyReceipt } from "../../../src/custody/receipt.ts";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { readEvents } from "../../../src/db/log.ts";
import { validateJwtSvid } from "../../../src/identity/jwt-svid.ts";
import { validateX509Svid } from "../../../src/identity/x509-validation.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import { activatePolicies, readPolicies } from "../../../src/services/activation/activate-policies.ts";
import { recordDecision } from "../../../src/services/decisions/record-decision.ts";
import { issueJwtSvids } from "../../../src/services/identities/issue-svid.ts";
import { listIdentities } from "../../../src/services/identities/list-identities.ts";
import { openQuarantine } from "../../../src/services/incidents/quarantine.ts";
import type { TestNode } from "../../http/node.ts";
import { packOf } from "../../support/packs.ts";
import { callerWith } from "../release-node.ts";
import {
  agentCaller,
  fetchX509,
  type IdentityHouse,
  openIdentityHouse,
  release,
  SELECTORS,
  untilRevoked,
} from "./identity-house.ts";

const AUDIENCE = "https://api.example.org";

describe("identities for what runs", () => {
  let house: IdentityHouse;
  let node: TestNode;

  before(async () => {
    house = await openIdentityHouse();
    node = await house.open();
  });
  after(() => house.close());

  async function eventAt(index: number) {
    const [event] = await readEvents(node.v.database.kysely, node.v.project, [index]);
    assert.ok(event);
    return event;
  }

  test("an X.509-SVID is of the CSR's key, names what it was granted for, and stands in the log before it is given", async () => {
    const { digest, receipt } = await release(house, node);
    const { svids, certificates, publicKey } = await fetchX509(node, agentCaller(node), digest);
    const [svid] = svids;
    assert.ok(svid && certificates[0]);
    assert.deepEqual(
      svids.map(({ workload }) => workload),
      ["widget"],
    );
    assert.equal(svid.spiffeId, `spiffe://vouchsafe.local/widget/${digest.slice(7)}`);

    const validated = validateX509Svid(
      svid.chain.map((der) => Buffer.from(der, "base64")),
      node.v.authority.bundle(),
      Date.now(),
    );
    assert.equal(validated.spiffeId, svid.spiffeId);
    assert.deepEqual(validated.grounds, {
      digests: [digest],
      policies: ["release"],
      verdicts: [receipt.index + 1],
      index: svid.receipt.index,
    });
    assert.ok(certificates[0].publicKey.equals(publicKey));

    const event = await eventAt(svid.receipt.index);
    verifyReceipt(event.leaf, svid.receipt, node.v.log.verifierKey);
    assert.equal(event.type, "identity.issued");
    assert.deepEqual(event.about, [digest]);
    assert.deepEqual(
      {
        serial: event.body.serial,
        spiffeId: event.body.spiffeId,
        keyHash: event.body.keyHash,
        verdicts: event.body.verdicts,
      },
      {
        serial: svid.serial,
        spiffeId: svid.spiffeId,
        keyHash: sha256(publicKey.export({ format: "der", type: "spki" })),
        verdicts: [receipt.index + 1],
      },
    );
    assert.equal(Date.parse(certificates[0].validTo), Date.parse(svid.expiresAt));
  });

  test("a renewal says what it renews, to the requester that had it and to no other", async () => {
    const { digest } = await release(house, node);
    const first = await fetchX509(node, agentCaller(node), digest);
    const [{ serial = "" } = {}] = first.svids;
    const renewal = await fetchX509(node, agentCaller(node), digest, [serial]);
    const foreign = await fetchX509(node, agentCaller(node, "node-2"), digest, [serial]);
    const events = [
      await eventAt(renewal.svids[0]?.receipt.index ?? 0),
      await eventAt(foreign.svids[0]?.receipt.index ?? 0),
    ];
    assert.deepEqual(
      events.map(({ type, body }) => [type, body.renews]),
      [
        ["identity.renewed", serial],
        ["identity.issued", null],
      ],
    );
  });

  test("of several SVIDs each renews the one before it of its own workload policy", async () => {
    const { digest } = await release(house, node);
    const agent = agentCaller(node, "twin");
    const first = await fetchX509(node, agent, digest);
    const serials = first.svids.map(({ serial }) => serial);
    assert.deepEqual(
      first.svids.map(({ workload }) => workload),
      ["beside", "elsewhere"],
    );
    const second = await fetchX509(node, agent, digest, serials.toReversed());
    const events = await Promise.all(second.svids.map(({ receipt }) => eventAt(receipt.index)));
    assert.deepEqual(
      events.map(({ type, body }) => [type, body.renews]),
      serials.map((serial) => ["identity.renewed", serial]),
    );
  });

  test("a JWT-SVID is for its audiences, which the workload policy allows", async () => {
    const { digest } = await release(house, node);
    const ask = (audiences: string[], spiffeId?: string) =>
      issueJwtSvids(node.v, agentCaller(node), {
        audiences,
        selectors: SELECTORS,
        components: { executable: [digest] },
        ...(spiffeId !== undefined && { spiffeId }),
      });
    const [svid] = (await ask([AUDIENCE])).svids;
    const { claims, grounds } = validateJwtSvid(
      svid?.token ?? "",
      node.v.authority.bundle(),
      AUDIENCE,
      Date.now(),
    );
    assert.deepEqual(grounds?.digests, [digest]);
    assert.equal((await eventAt(svid?.receipt.index ?? 0)).body.serial, claims.jti);
    await assert.rejects(ask([AUDIENCE, "https://evil.example"]), denied("audience-not-allowed"));
    await assert.rejects(ask([AUDIENCE], "spiffe://vouchsafe.local/elsewhere"), denied("no-workload-policy"));
  });

  test("nothing is granted for a digest that is unknown, quarantined, or cannot ground", async () => {
    const { digest } = await release(house, node);
    await fetchX509(node, agentCaller(node), digest);
    await openQuarantine(node.v, callerWith(node, ["operator"]), { artifact: digest, reason: "leaks" });
    await assert.rejects(fetchX509(node, agentCaller(node), digest), denied("quarantined"));
    await assert.rejects(fetchX509(node, agentCaller(node), sha256(randomBytes(9))), denied("no-verdict"));
    await assert.rejects(
      fetchX509(node, agentCaller(node), `sha1:${"0".repeat(40)}`),
      denied("digest-cannot-ground"),
    );
  });

  test("one denied digest is enough to deny all", async () => {
    const { digest } = await release(house, node);
    const other = sha256(randomBytes(9));
    const audiences = [AUDIENCE];
    await assert.rejects(
      issueJwtSvids(node.v, agentCaller(node, "other"), {
        audiences,
        selectors: SELECTORS,
        components: { executable: [digest, other] },
      }),
      denied("no-verdict"),
    );
  });

  test("a requester gets what is registered to it and nothing else", async () => {
    const { digest } = await release(house, node);
    const issuer = (name: string) => ({ ...callerWith(node, ["issuer"]), name });
    const granted = async (caller: Parameters<typeof fetchX509>[1]) =>
      (await fetchX509(node, caller, digest)).svids.map(({ workload }) => workload);
    assert.deepEqual(await granted(agentCaller(node, "other")), ["elsewhere"]);
    assert.deepEqual(await granted(issuer("broker")), ["widget"]);
    await assert.rejects(granted(issuer("other")), denied("no-workload-policy"));
    await assert.rejects(granted(agentCaller(node, "stranger")), denied("no-workload-policy"));
    await assert.rejects(granted({ ...callerWith(node, ["agent"]), name: "node-1" }), { code: "forbidden" });
  });

  test("the custody file names every SVID and every denial, and verifies offline", async () => {
    const { digest } = await release(house, node);
    const agent = agentCaller(node);
    const { svids } = await fetchX509(node, agent, digest);
    const renewed = await fetchX509(node, agent, digest, [svids[0]?.serial ?? ""]);
    const audiences = [AUDIENCE];
    await issueJwtSvids(node.v, agent, {
      audiences,
      selectors: SELECTORS,
      components: { executable: [digest] },
    });
    await recordDecision(node.v, callerWith(node, ["issuer"]), {
      artifact: digest,
      policies: ["release"],
      decision: "allow",
      asOf: 1,
      grantedTo: "spiffe://example.org/widget",
      issuer: "spire",
    });
    await openQuarantine(node.v, callerWith(node, ["operator"]), { artifact: digest, reason: "leaks" });
    await untilRevoked(node, digest);
    await assert.rejects(fetchX509(node, agent, digest), denied("quarantined"));
    await assert.rejects(fetchX509(node, agent, digest), denied("quarantined"));

    const pack = await packOf(node.v, callerWith(node, ["auditor"]), digest);
    const { ok, events, checks } = verifyPack(pack, node.v.log.verifierKey);
    assert.deepEqual(
      checks.filter(({ status }) => status !== "holds"),
      [],
    );
    assert.ok(ok);
    const types = events.map(({ type }) => type).filter((type) => /^(identity|decision)/.test(type));
    assert.deepEqual(types, [
      "identity.issued",
      "identity.renewed",
      "identity.issued",
      "decision.recorded",
      "identity.revoked",
      "identity.denied",
    ]);
    const said = checks.filter(({ check }) => check === "identity").map(({ statement }) => statement);
    assert.equal(said.length, 5);
    assert.ok(said[0]?.includes(svids[0]?.serial ?? "?"));
    assert.ok(said[1]?.includes(renewed.svids[0]?.serial ?? "?"));
  });

  test("an edit of policies is obeyed at once, and denies nobody whom the new ones allow", async () => {
    const { digest } = await release(house, node);
    const operator = callerWith(node, ["operator"]);
    const edit = async (from: string, to: string) => {
      const { documents, policySet: previous } = await readPolicies(node.v, operator);
      const edited = documents.map(({ name, text }) => ({ name, text: text.replaceAll(from, to) }));
      await activatePolicies(node.v, operator, { documents: edited, previous });
    };
    const before = await fetchX509(node, agentCaller(node), digest);
    await edit("  name: release\n", "  name: release\n  description: edited\n");
    const after = await fetchX509(node, agentCaller(node), digest);
    const hashes = await Promise.all(
      [before, after].map(async ({ svids }) => (await eventAt(svids[0]?.receipt.index ?? 0)).body.policySet),
    );
    assert.notEqual(hashes[0], hashes[1]);

    await edit("agent/node-*", "agent/db-*");
    await assert.rejects(fetchX509(node, agentCaller(node), digest), denied("no-workload-policy"));
    await edit("agent/db-*", "agent/node-*");
    assert.equal((await fetchX509(node, agentCaller(node), digest)).svids.length, 1);
    const pack = await packOf(node.v, callerWith(node, ["auditor"]), digest);
    assert.ok(verifyPack(pack, node.v.log.verifierKey).ok);
  });

  test("grants are listed by digest and by SPIFFE ID, and live ones only while they live", async () => {
    const { digest } = await release(house, node);
    const auditor = callerWith(node, ["auditor"]);
    const { svids } = await fetchX509(node, agentCaller(node), digest);
    const byDigest = await listIdentities(node.v, auditor, { digest, live: true, limit: 10 });
    assert.deepEqual(
      byDigest.identities.map(({ serial }) => serial),
      [svids[0]?.serial],
    );
    const [{ spiffeId = "" } = {}] = svids;
    assert.deepEqual(
      (await listIdentities(node.v, auditor, { spiffeId, limit: 10 })).identities,
      byDigest.identities,
    );
    node.advance(11 * 60_000);
    assert.deepEqual(
      (await listIdentities(node.v, auditor, { digest, live: true, limit: 10 })).identities,
      [],
    );
    assert.equal((await listIdentities(node.v, auditor, { digest, limit: 10 })).identities.length, 1);
  });
});

function denied(code: string) {
  return (error: { code?: string; extensions?: { reasons: { code: string }[] } }) => {
    assert.equal(error.code, "identity-denied");
    assert.equal(error.extensions?.reasons[0]?.code, code);
    return true;
  };
}
