import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { verifyPack } from "../../src/custody/verify-pack.ts";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import type { Digest, JsonObject } from "../../src/in-toto-attestation/types.ts";
import { withShippedBuilders } from "../../src/policy-files.ts";
import { activatePolicies, readPolicies } from "../../src/services/activation/activate-policies.ts";
import { activateTrust, readTrust } from "../../src/services/activation/activate-trust.ts";
import type { Caller } from "../../src/services/caller.ts";
import { readCustody } from "../../src/services/custody/read-custody.ts";
import { findArtifacts, readArtifact } from "../../src/services/decisions/find-artifacts.ts";
import { recordDecision } from "../../src/services/decisions/record-decision.ts";
import { verifyDigest } from "../../src/services/decisions/verify-digest.ts";
import { pushAttestation } from "../../src/services/evidence/push-attestation.ts";
import { readEvidence } from "../../src/services/evidence/read-attestation.ts";
import { REJECTIONS_PER_HOUR } from "../../src/services/evidence/record-rejection.ts";
import { liftQuarantine, listQuarantines, openQuarantine } from "../../src/services/incidents/quarantine.ts";
import type { TestNode } from "../http/node.ts";
import { RELEASE_POLICY } from "../http/release.ts";
import { actionsClaims } from "../sigstore/github-actions.ts";
import { slsaProvenance, statementAbout } from "../sigstore/provenance.ts";
import { forPostgres } from "../support/databases.ts";
import { packOf } from "../support/packs.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "./release-node.ts";

forPostgres("the use cases", (create) => {
  let house: ReleaseHouse;
  let node: TestNode;
  let caller: Caller;

  before(async () => {
    house = await openReleaseHouse((await create()).postgres ?? "embedded");
    node = await house.open();
    caller = callerWith(node, ["operator"]);
  });
  after(() => house.close());

  function widget(): { name: string; bytes: Uint8Array; digest: Digest } {
    const bytes = randomBytes(64);
    return { name: "widget.tar.gz", bytes, digest: sha256(bytes) };
  }
  async function release(artifact = widget(), claims = actionsClaims()) {
    const bytes = await house.sigstore.signStatement(slsaProvenance([artifact], claims), { claims });
    return { ...artifact, bundle: bytes };
  }
  const ask = (digest: string) => verifyDigest(node.v, caller, { digest });
  const codes = (answer: { reasons: readonly { code: string }[] }) => answer.reasons.map(({ code }) => code);

  test("a digest is denied, then allowed by its provenance, and denied when it is quarantined", async () => {
    const { digest, bundle } = await release();
    assert.deepEqual(codes(await ask(digest)), ["no-verdict"]);

    const pushed = await pushAttestation(node.v, caller, { bytes: bundle });
    assert.equal(pushed.created, true);
    assert.deepEqual(
      pushed.verdicts.map(({ policy, outcome }) => [policy, outcome]),
      [["release", "passed"]],
    );
    const allowed = await verifyDigest(node.v, caller, { digest, minSize: pushed.receipt.treeSize });
    assert.equal(allowed.decision, "allow");
    assert.equal(allowed.slsaLevel, 3);
    assert.deepEqual(allowed.policies[0]?.attestations, [pushed.attestation.id]);

    const { id } = await openQuarantine(node.v, caller, { artifact: digest, reason: "found malware" });
    assert.deepEqual(codes(await ask(digest)), ["quarantined"]);
    assert.ok((await listQuarantines(node.v, caller)).quarantines.some((quarantine) => quarantine.id === id));
    await liftQuarantine(node.v, caller, { id, reason: "it was none" });
    assert.equal((await ask(digest)).decision, "allow");
    await assert.rejects(liftQuarantine(node.v, caller, { id, reason: "again" }), { code: "not-found" });
  });

  test("the same bytes pushed twice, or by many at once, are one attestation", async () => {
    const { digest, bundle } = await release();
    const pushes = await Promise.all(
      Array.from({ length: 8 }, () => pushAttestation(node.v, caller, { bytes: bundle })),
    );
    assert.equal(pushes.filter(({ created }) => created).length, 1);
    assert.equal(new Set(pushes.map(({ attestation }) => attestation.index)).size, 1);
    const { events } = await readCustody(node.v, caller, digest, { related: false });
    assert.deepEqual(
      events.map(({ type }) => type),
      ["evidence.accepted", "verdict.passed"],
    );
    const { bytes } = await readEvidence(node.v, caller, sha256(bundle));
    assert.deepEqual(Buffer.from(bytes), Buffer.from(bundle));
  });

  test("different evidence about one artifact pushed at once leaves the verdict of all of it", async () => {
    const artifact = widget();
    const foreign = actionsClaims({ repository: "mallory/widget" });
    const bundles = await Promise.all([
      release(artifact),
      ...Array.from({ length: 5 }, () => release(artifact, foreign)),
    ]);
    await Promise.all(bundles.map(({ bundle }) => pushAttestation(node.v, caller, { bytes: bundle })));
    assert.equal((await ask(artifact.digest)).decision, "allow");
    const { verdicts, attestations } = await readArtifact(node.v, caller, artifact.digest);
    assert.equal(attestations.length, 6);
    assert.deepEqual(
      verdicts.map(({ outcome, current }) => [outcome, current]),
      [["passed", true]],
    );
  });

  test("provenance of another repository fails with the nearest miss and grants nothing", async () => {
    const { digest, bundle } = await release(widget(), actionsClaims({ repository: "mallory/widget" }));
    await pushAttestation(node.v, caller, { bytes: bundle });
    const answer = await ask(digest);
    assert.equal(answer.decision, "deny");
    assert.deepEqual(codes(answer), ["verdict-failed"]);
    assert.ok(answer.reasons[0]?.checks?.some(({ check, passed }) => check === "signer" && !passed));
  });

  test("an artifact is found by repository, commit and signer", async () => {
    const claims = actionsClaims({ sha: "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00" });
    const { digest, bundle } = await release(widget(), claims);
    await pushAttestation(node.v, caller, { bytes: bundle });
    const byCommit = await findArtifacts(node.v, caller, { commit: claims.sha, limit: 50 });
    assert.deepEqual(
      byCommit.artifacts.map((artifact) => artifact.digest),
      [digest],
    );
    const search = { repository: "https://github.com/acme/widget", limit: 1 };
    const first = await findArtifacts(node.v, caller, search);
    assert.notEqual(first.next, null);
    const second = await findArtifacts(node.v, caller, { ...search, after: first.next ?? "" });
    assert.notDeepEqual(first.artifacts, second.artifacts);
    await assert.rejects(readArtifact(node.v, caller, `sha256:${"0".repeat(64)}`), { code: "not-found" });
  });

  /** Of the log itself: what the node's projection has seen of it may be a moment older. */
  async function logSize(): Promise<number> {
    const head = node.v.database.kysely.selectFrom("log_head").select("size");
    return (await head.executeTakeFirstOrThrow()).size;
  }

  test("refused evidence is recorded once, in nobody's chain, and within a quota", async () => {
    const victim = await release();
    await pushAttestation(node.v, caller, { bytes: victim.bundle });
    const before = await readCustody(node.v, caller, victim.digest);
    const mallory = { ...caller, token: "00000000000000aa" };
    const forged = Buffer.from(JSON.stringify(JSON.parse(Buffer.from(victim.bundle).toString()), null, 1));
    const bundle = JSON.parse(forged.toString()) as { dsseEnvelope: { payload: string } };
    bundle.dsseEnvelope.payload = Buffer.from(
      JSON.stringify(
        statementAbout(
          [{ name: "widget", sha256: victim.digest.slice(7) }],
          "https://slsa.dev/provenance/v1",
          {},
        ),
      ),
    ).toString("base64");
    const bytes = Buffer.from(JSON.stringify(bundle));

    const size = await logSize();
    for (let i = 0; i < 3; i++) await assert.rejects(pushAttestation(node.v, mallory, { bytes }));
    assert.equal(await logSize(), size + 1);
    for (let i = 0; i < REJECTIONS_PER_HOUR + 5; i++) {
      await assert.rejects(pushAttestation(node.v, mallory, { bytes: Buffer.from(`{"x":${i}}`) }), {
        code: "unknown-evidence-format",
      });
    }
    assert.equal(await logSize(), size + REJECTIONS_PER_HOUR);
    const after = await readCustody(node.v, caller, victim.digest);
    assert.deepEqual(
      after.events.map(({ index }) => index),
      before.events.map(({ index }) => index),
    );
  });

  test("genuine evidence whose provenance is malformed is recorded as refused", async () => {
    const statement = statementAbout([widget()], "https://slsa.dev/provenance/v1", { buildDefinition: 1 });
    const bytes = await house.sigstore.signStatement(statement);
    const size = await logSize();
    await assert.rejects(pushAttestation(node.v, { ...caller, token: "00000000000000bb" }, { bytes }), {
      code: "malformed-statement",
    });
    assert.equal(await logSize(), size + 1);
  });

  test("an issuer's grant is recorded with what the decision is at its place in the log", async () => {
    const { digest, bundle } = await release();
    await pushAttestation(node.v, caller, { bytes: bundle });
    const { asOf, decision } = await ask(digest);
    const grant = {
      artifact: digest,
      policies: ["release"],
      decision,
      asOf,
      grantedTo: "spiffe://a/b",
      issuer: "spire",
    };
    assert.equal((await recordDecision(node.v, caller, grant)).current, "allow");
    await openQuarantine(node.v, caller, { artifact: digest, reason: "late news" });
    const late = await recordDecision(node.v, caller, { ...grant, expiresAt: "2030-01-01T00:00:00Z" });
    assert.equal(late.current, "deny");
    assert.deepEqual(codes(late), ["quarantined"]);
    await assert.rejects(recordDecision(node.v, caller, { ...grant, asOf: 1e9 }), {
      code: "invalid-request",
    });
    const { events } = await readCustody(node.v, caller, digest);
    assert.equal(events.filter(({ type }) => type === "decision.recorded").length, 2);
  });

  test("a custody file verifies offline, with the log's key given by hand", async () => {
    const { digest, bundle } = await release();
    await pushAttestation(node.v, caller, { bytes: bundle });
    await openQuarantine(node.v, caller, { artifact: digest, reason: "test" });
    const pack = await packOf(node.v, caller, digest);
    const report = verifyPack(pack, node.v.log.verifierKey);
    assert.equal(report.ok, true, JSON.stringify(report, null, 1));
    assert.deepEqual(Buffer.from(await packOf(node.v, caller, digest)), Buffer.from(pack));
  });

  test("an edited policy denies what it no longer passes, at once, and only its author's base is accepted", async () => {
    const { digest, bundle } = await release();
    await pushAttestation(node.v, caller, { bytes: bundle });
    assert.equal((await ask(digest)).decision, "allow");
    const active = await readPolicies(node.v, caller);
    const stricter = RELEASE_POLICY.replace("refs: [refs/heads/main]", "refs: [refs/tags/*]");
    const documents = [{ name: "release.yaml", text: stricter }];
    await activatePolicies(node.v, caller, { documents, previous: active.policySet });
    assert.deepEqual(codes(await ask(digest)), ["verdict-failed"]);
    await assert.rejects(
      activatePolicies(node.v, caller, { documents: active.documents, previous: active.policySet }),
      { code: "conflict" },
    );
    const again = await activatePolicies(node.v, caller, { documents, previous: null });
    assert.equal(again.receipt, null);
    const { policySet } = await readPolicies(node.v, caller);
    await activatePolicies(node.v, caller, { documents: active.documents, previous: policySet });
    assert.equal((await ask(digest)).decision, "allow");
    await assert.rejects(
      activatePolicies(node.v, caller, { documents: [{ name: "x", text: "a: 1" }], previous: policySet }),
      {
        code: "invalid-policy",
      },
    );
  });

  test("a policy is activated with the shipped builder that it uses, so that a pack needs nothing besides", async () => {
    const before = await readPolicies(node.v, caller);
    const text = RELEASE_POLICY.replace(/- id: .*\n.*level: 3/, "- use: github-actions");
    const documents = await withShippedBuilders([{ name: "release.yaml", text }]);
    const active = await activatePolicies(node.v, caller, { documents, previous: before.policySet });
    const { digest, bundle } = await release();
    await pushAttestation(node.v, caller, { bytes: bundle });
    assert.equal((await ask(digest)).slsaLevel, 2);
    assert.ok(verifyPack(await packOf(node.v, caller, digest), node.v.log.verifierKey).ok);
    const { documents: old } = before;
    await activatePolicies(node.v, caller, { documents: old, previous: active.policySet });
  });

  test("withdrawn trust denies what rested on it; added trust changes nothing", async () => {
    const { digest, bundle } = await release();
    await pushAttestation(node.v, caller, { bytes: bundle });
    const active = await readTrust(node.v, caller);
    assert.ok(active.document);
    const other = active.document.sigstore[0]?.trustedRoot as JsonObject;
    const wider = {
      ...active.document,
      sigstore: [...active.document.sigstore, { name: "second", trustedRoot: other }],
    };
    const widened = await activateTrust(node.v, caller, { document: wider, previous: active.trust });
    assert.equal((await ask(digest)).decision, "allow");

    const none = { sigstore: [], keys: [] };
    await activateTrust(node.v, caller, { document: none, previous: widened.trust });
    assert.equal((await ask(digest)).decision, "deny");
    await assert.rejects(activateTrust(node.v, caller, { document: wider, previous: active.trust }), {
      code: "conflict",
    });
    const { trust } = await readTrust(node.v, caller);
    await activateTrust(node.v, caller, { document: active.document, previous: trust });
    assert.equal((await ask(digest)).decision, "allow");
  });

  test("a caller that may not choose cannot weaken what it is decided by", async () => {
    const digest = widget().digest;
    await assert.rejects(verifyDigest(node.v, caller, { digest, policy: "other" }), {
      code: "policy-not-allowed",
    });
    const choosing = { ...caller, mayChoosePolicy: true };
    assert.deepEqual(codes(await verifyDigest(node.v, choosing, { digest, policy: "other" })), [
      "unknown-policy",
    ]);
    assert.deepEqual(codes(await verifyDigest(node.v, { ...caller, policies: [] }, { digest })), [
      "no-policy-named",
    ]);
    await assert.rejects(ask("md5:d41d8cd98f00b204e9800998ecf8427e"), {
      code: "unsupported-digest-algorithm",
    });
    await assert.rejects(ask("sha256:xyz"), { code: "malformed-digest" });
  });
});
