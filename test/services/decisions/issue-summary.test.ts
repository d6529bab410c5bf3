import assert from "node:assert/strict";
import { createPublicKey, hash, randomBytes, verify } from "node:crypto";
import { after, before, test } from "node:test";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import type { Proposal } from "../../../src/custody/writer.ts";
import {
  type JsonObject,
  parseEnvelope,
  parseJson,
  preAuthenticationEncoding,
  sha256,
} from "../../../src/in-toto-attestation/index.ts";
import type { Caller } from "../../../src/services/caller.ts";
import type { Vouchsafe } from "../../../src/services/context.ts";
import { readCustody } from "../../../src/services/custody/read-custody.ts";
import { issueSummary } from "../../../src/services/decisions/issue-summary.ts";
import { pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import { liftQuarantine, openQuarantine } from "../../../src/services/incidents/quarantine.ts";
import type { TestNode } from "../../http/node.ts";
import { RELEASE_POLICY } from "../../http/release.ts";
import { slsaProvenance } from "../../sigstore/provenance.ts";
import { forPostgres } from "../../support/databases.ts";
import { packOf } from "../../support/packs.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../release-node.ts";

const MINUTE = 60_000;
const RESOURCE = "pkg:npm/%40acme/widget@1.0.0";

/** Policies that a release passes too. */
const OTHERS = {
  "brief.yaml": RELEASE_POLICY.replace("name: release", "name: brief").replace(
    "spec:",
    "spec:\n  maxAge: 30m",
  ),
  "named.yaml": RELEASE_POLICY.replace("name: release", "name: named").replace(
    "spec:",
    `spec:\n  resourceUri: "${RESOURCE}"`,
  ),
  "located.yaml": RELEASE_POLICY.replace("name: release", "name: located").replace(
    "spec:",
    `spec:\n  resourceUri: "https://acme.example/{algorithm}/{digest}"`,
  ),
};

forPostgres("verification summaries", (create) => {
  let house: ReleaseHouse;
  let node: TestNode;
  let issuer: Caller;
  before(async () => {
    house = await openReleaseHouse((await create()).postgres ?? "embedded", OTHERS);
    node = await house.open();
    issuer = callerWith(node, ["issuer"]);
  });
  after(() => house.close());

  async function release(): Promise<string> {
    const bytes = randomBytes(64);
    const bundle = await house.sigstore.signStatement(slsaProvenance([{ name: "widget.tgz", bytes }]));
    await pushAttestation(node.v, callerWith(node, ["uploader"]), { bytes: bundle });
    return sha256(bytes);
  }
  const ask = (digest: string, policies?: readonly string[], v: Vouchsafe = node.v) =>
    issueSummary(v, policies === undefined ? issuer : callerWith(node, ["issuer"], policies), { digest });
  async function envelope(digest: string, policies?: readonly string[]): Promise<string> {
    const answer = await ask(digest, policies);
    assert.ok(answer.case === "summary");
    return answer.envelope;
  }
  const predicate = async (digest: string, policies?: readonly string[]) =>
    opened(await envelope(digest, policies)).statement.predicate as JsonObject;
  const auditor = () => callerWith(node, ["auditor"]);
  const records = async (digest: string) =>
    (await readCustody(node.v, auditor(), digest)).events.filter(({ type }) => type === "decision.recorded");
  const quarantine = (artifact: string) =>
    openQuarantine(node.v, callerWith(node, ["operator"]), { artifact, reason: "leaks" });

  test("say what was verified, signed by the node's key", async () => {
    const digest = await release();
    const text = await envelope(digest);
    const { keyid, sig, signed, payload, statement } = opened(text);
    const { key } = node.v.summaries;
    const spki = createPublicKey(key.publicKey);
    assert.ok(verify(null, signed, spki, sig));
    assert.equal(keyid, hash("sha256", spki.export({ format: "der", type: "spki" }), "hex"));
    const {
      timeVerified,
      vouchsafe_validUntil: until,
      vouchsafe_logSize: size,
      ...said
    } = statement.predicate;
    const { events } = await readCustody(node.v, auditor(), digest);
    const verdict = events.find(
      ({ type, body }) => type === "verdict.passed" && body.policy === "release",
    )?.body;
    const hex = (value: unknown) => ({ sha256: String(value).slice("sha256:".length) });
    assert.deepEqual(
      { ...statement, predicate: said },
      {
        _type: "https://in-toto.io/Statement/v1",
        subject: [{ digest: hex(digest) }],
        predicateType: "https://slsa.dev/verification_summary/v1",
        predicate: {
          verifier: { id: "https://vouchsafe.local/log" },
          resourceUri: digest,
          policy: { uri: "https://vouchsafe.local/log/policies/release", digest: hex(verdict?.policyHash) },
          inputAttestations: [verdict?.attestations].flat().map((id) => ({ digest: hex(id) })),
          verificationResult: "PASSED",
          verifiedLevels: ["SLSA_BUILD_LEVEL_3"],
          slsaVersion: "1.2",
        },
      },
    );
    assert.equal(Date.parse(String(until)) - Date.parse(String(timeVerified)), 10 * MINUTE);
    const [record] = await records(digest);
    assert.equal(record?.index, size, "nothing came in between");
    assert.deepEqual(
      { ...(record?.body.summary as JsonObject) },
      { statement: sha256(payload), keyId: keyid },
    );
    assert.equal(record?.body.expiresAt, until);
  });

  test("are in the artifact's custody file, which holds", async () => {
    const digest = await release();
    await envelope(digest);
    const pack = await packOf(node.v, auditor(), digest);
    const report = verifyPack(pack, node.v.log.verifierKey);
    assert.ok(report.ok, JSON.stringify(report.checks.filter(({ status }) => status === "fails")));
    assert.ok(report.checks.some(({ check }) => check === "decision"));
  });

  test("are never made of what is denied", async () => {
    const unknown = sha256(randomBytes(8));
    assert.equal((await ask(unknown)).case, "denied");
    const digest = await release();
    assert.equal((await ask(digest, [])).case, "denied");
    assert.equal((await ask(digest, ["release", "other"])).case, "denied");
    await quarantine(digest);
    const answer = await ask(digest);
    assert.ok(answer.case === "denied");
    assert.equal(JSON.parse(answer.json).reasons[0].code, "quarantined");
    assert.deepEqual(await records(digest), []);
  });

  test("are given again until half of their life is over, and recorded once", async () => {
    const digest = await release();
    const first = await envelope(digest);
    node.advance(5 * MINUTE - 10_000);
    const { id } = await quarantine(digest);
    assert.equal((await ask(digest)).case, "denied", "a kept one does not outlast a quarantine here");
    await liftQuarantine(node.v, callerWith(node, ["operator"]), { id, reason: "none" });
    assert.equal(await envelope(digest), first);
    assert.equal((await records(digest)).length, 1);
    node.advance(11_000);
    assert.notEqual(await envelope(digest), first);
    assert.equal((await records(digest)).length, 2);
    const { size } = node.v.projection;
    const newer = await issueSummary(node.v, issuer, { digest, minSize: size });
    assert.ok(newer.asOf >= size, "one that must know of more is made anew");
  });

  test("that many ask for at once are one", async () => {
    const digest = await release();
    const envelopes = await Promise.all(Array.from({ length: 20 }, () => envelope(digest)));
    assert.equal(new Set(envelopes).size, 1);
    assert.equal((await records(digest)).length, 1);
  });

  test("end with the verdict that they rest on", async () => {
    const digest = await release();
    const { timeVerified, vouchsafe_validUntil: until } = await predicate(digest, ["release", "brief"]);
    assert.equal(Date.parse(String(until)) - Date.parse(String(timeVerified)), 10 * MINUTE);
    const { events } = await readCustody(node.v, auditor(), digest);
    const verdict = events.find(({ body }) => body.policy === "brief" && body.validUntil !== null);
    const end = Date.parse(String(verdict?.body.validUntil));
    node.advance(end - MINUTE - node.v.clock());
    assert.equal((await predicate(digest, ["brief"])).vouchsafe_validUntil, verdict?.body.validUntil);
  });

  test("name the resource as policies do, and refuse to choose between two", async () => {
    const digest = await release();
    const hex = digest.slice("sha256:".length);
    assert.equal((await predicate(digest, ["named"])).resourceUri, RESOURCE);
    assert.equal((await predicate(digest, ["located"])).resourceUri, `https://acme.example/sha256/${hex}`);
    const { resourceUri, policy } = await predicate(digest, ["release", "named"]);
    assert.equal(resourceUri, RESOURCE);
    const { uri, digest: of, annotations } = policy as JsonObject;
    assert.equal(uri, "https://vouchsafe.local/log/policies/named,release");
    assert.deepEqual(Object.keys(annotations as JsonObject), ["named", "release"]);
    assert.deepEqual(of, { sha256: hash("sha256", JSON.stringify(annotations)) });
    await assert.rejects(ask(digest, ["named", "located"]), { code: "invalid-request" });
  });

  test("are for issuers and operators", async () => {
    const digest = await release();
    for (const role of ["uploader", "auditor", "agent", "approver"] as const) {
      await assert.rejects(issueSummary(node.v, callerWith(node, [role]), { digest }), { code: "forbidden" });
    }
    assert.equal((await issueSummary(node.v, callerWith(node, ["operator"]), { digest })).case, "summary");
  });

  test("are not made when a quarantine is committed before their record", async () => {
    const digest = await release();
    const answer = await ask(
      digest,
      undefined,
      beforeFirstAppend(node.v, () => quarantine(digest)),
    );
    assert.ok(answer.case === "denied");
    assert.equal(JSON.parse(answer.json).reasons[0].code, "quarantined");
    assert.deepEqual(await records(digest), []);
  });

  test("are not signed by a node that was stopped after it decided", async () => {
    const digest = await release();
    const stopped = beforeFirstAppend(node.v, async () => node.advance(6_000));
    await assert.rejects(ask(digest, undefined, stopped), { code: "unavailable" });
    assert.equal((await records(digest)).length, 1, "an event without a summary harms nobody");
    assert.equal((await ask(digest)).case, "summary");
  });
});

/** A node to which something happens between a decision and its record. */
function beforeFirstAppend(v: Vouchsafe, happen: () => Promise<unknown>): Vouchsafe {
  let happened = false;
  const append = async (proposal: Proposal) => {
    if (!happened) await happen();
    happened = true;
    return v.writer.append(proposal);
  };
  return { ...v, writer: { ...v.writer, append } };
}

/** What an envelope holds, and the bytes that its signature is over. */
function opened(text: string) {
  const { payload, payloadType, signatures } = parseEnvelope(parseJson(Buffer.from(text)));
  const [{ keyid, sig } = { sig: Buffer.of() }] = signatures;
  const statement = JSON.parse(Buffer.from(payload).toString()) as JsonObject & { predicate: JsonObject };
  return { keyid, sig, payload, signed: preAuthenticationEncoding(payloadType, payload), statement };
}
