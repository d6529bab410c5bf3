import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { readHead } from "../../../src/db/log.ts";
import { CONTAINMENT_PREDICATE_TYPE } from "../../../src/in-toto-attestation/containment.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import { revisionDigests } from "../../../src/in-toto-attestation/source-revision.ts";
import type { Digest } from "../../../src/in-toto-attestation/types.ts";
import { readCustody } from "../../../src/services/custody/read-custody.ts";
import { readArtifact } from "../../../src/services/decisions/find-artifacts.ts";
import { recordDecision } from "../../../src/services/decisions/record-decision.ts";
import { verifyDigest } from "../../../src/services/decisions/verify-digest.ts";
import { pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import { recordContainment } from "../../../src/services/evidence/record-containment.ts";
import { watchIdentities } from "../../../src/services/identities/watch-identities.ts";
import { liftQuarantine, openQuarantine } from "../../../src/services/incidents/quarantine.ts";
import { revokeEvidence, withdrawRevocation } from "../../../src/services/incidents/revocations.ts";
import type { TestNode } from "../../http/node.ts";
import { RELEASE_POLICY } from "../../http/release.ts";
import { actionsClaims } from "../../sigstore/github-actions.ts";
import { slsaProvenance, statementAbout } from "../../sigstore/provenance.ts";
import { anImage, INDEX } from "../../support/images.ts";
import { packOf } from "../../support/packs.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { agentCaller, fetchX509, untilRevoked, WORKLOADS } from "../identities/identity-house.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../release-node.ts";

const SUMMARY = "https://slsa.dev/verification_summary/v1";
const SOURCED = `${RELEASE_POLICY.replace("name: release", "name: sourced")}
  evidence:
    - name: source
      about: source
      predicateTypes: ["${SUMMARY}"]
      signers:
        - issuer: https://token.actions.githubusercontent.com
          identity: https://github.com/acme/widget/.github/workflows/source.yml@refs/heads/main
      vsa:
        verifierIds: [https://scs.example.org]
        resourceUris: [git+https://github.com/acme/widget]
        levels: [SLSA_SOURCE_LEVEL_3]
`;

const FILES = `${RELEASE_POLICY.replace("name: release", "name: files")}
  containment:
    signers:
      - issuer: https://token.actions.githubusercontent.com
        identity: https://github.com/acme/widget/.github/workflows/unpack.yml@refs/heads/main
`;

describe("verdicts that rest on other artifacts", () => {
  let postgres: TestPostgres;
  let house: ReleaseHouse;
  let a: TestNode;
  let b: TestNode;

  before(async () => {
    postgres = await createPostgres();
    house = await openReleaseHouse(postgres, {
      "files.yaml": FILES,
      "sourced.yaml": SOURCED,
      "workloads.yaml": WORKLOADS,
    });
    [a, b] = await Promise.all([house.open(), house.open()]);
  });
  after(async () => {
    await house.close();
    await postgres.drop();
    await stopPostgres();
  });

  const operator = (policy = "release") => callerWith(a, ["operator"], [policy]);
  const push = (bytes: Uint8Array) => pushAttestation(a.v, operator(), { bytes });
  const record = (bytes: Uint8Array) => recordContainment(a.v, operator(), bytes);
  const revoke = (attestation: Digest) =>
    revokeEvidence(a.v, operator(), { target: { attestation }, reason: "a stolen key" });
  const size = async () => (await readHead(a.v.database.kysely)).size;

  /** Asks the other node, which knows of it what the log tells. */
  async function ask(digest: Digest, policy = "release") {
    const answer = await verifyDigest(b.v, operator(policy), { digest, minSize: await size() });
    return {
      decision: answer.decision,
      reasons: answer.reasons,
      codes: answer.reasons.map(({ code }) => code),
    };
  }
  async function provenance(digest: Digest, sha?: string) {
    const claims = actionsClaims(sha === undefined ? {} : { sha });
    const statement = slsaProvenance([{ name: "widget", sha256: digest.slice("sha256:".length) }], claims);
    return push(await house.sigstore.signStatement(statement, { claims }));
  }
  /** An image that was released, and whose manifests are recorded. */
  async function aRelease() {
    const image = anImage();
    await provenance(image.digest);
    await record(image.index);
    await record(image.manifest);
    return image;
  }
  async function holds(digest: Digest) {
    const report = verifyPack(await packOf(a.v, operator(), digest), a.v.log.verifierKey);
    assert.deepEqual(
      report.checks.filter(({ status }) => status === "fails"),
      [],
    );
    return report;
  }

  test("what an image index passes, its manifest, config and layers pass, in whatever order all became known", async () => {
    const image = anImage();
    await record(image.manifest);
    assert.deepEqual((await ask(image.layer)).codes, ["verdict-failed"]);
    await record(image.index);
    assert.deepEqual((await ask(image.layer)).codes, ["verdict-failed"]);
    await provenance(image.digest);
    for (const part of [sha256(image.manifest), image.config, image.layer]) {
      assert.deepEqual((await ask(part)).codes, ["verdict-passed"]);
    }
    const path = `in ${sha256(image.manifest)} by its manifest, in ${image.digest} by its manifest`;
    assert.equal((await ask(image.layer)).reasons[0]?.message, `Policy release passed: it lies ${path}`);
    const { containedIn } = await readArtifact(a.v, operator(), image.layer);
    assert.deepEqual(containedIn, [sha256(image.manifest)]);
    const { contains } = await readArtifact(a.v, operator(), image.digest);
    assert.deepEqual(contains, [sha256(image.manifest)]);
  });

  test("an approved part approves nothing that holds it", async () => {
    const image = anImage();
    await provenance(image.layer);
    await record(image.manifest);
    await record(image.index);
    assert.equal((await ask(image.layer)).decision, "allow");
    assert.equal((await ask(sha256(image.manifest))).decision, "deny");
    assert.equal((await ask(image.digest)).decision, "deny");
  });

  test("a manifest stands for what its bytes hash to, is recorded once, and says what it says itself", async () => {
    const { manifest, layer } = anImage();
    const altered = Buffer.from(`${manifest} `);
    const recorded = await Promise.all([record(altered), record(altered), record(altered)]);
    assert.equal(recorded.filter(({ created }) => created).length, 1);
    assert.equal(new Set(recorded.map(({ receipt }) => receipt.index)).size, 1);
    assert.equal(recorded[0]?.digest, sha256(altered));
    const { events } = await readCustody(a.v, operator(), layer, { related: false });
    assert.deepEqual(
      events.map(({ type, about }) => [type, about[0]]),
      [["containment.recorded", sha256(altered)]],
    );
    await assert.rejects(readCustody(a.v, operator(), sha256(manifest)), { code: "not-found" });
    const nothing = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [] }));
    await assert.rejects(record(nothing), { code: "malformed-manifest" });
    await assert.rejects(record(Buffer.from("{")), { code: "malformed-json" });
  });

  test("a file passes with the image that a trusted signer found it in, and with no other's word", async () => {
    const image = await aRelease();
    const [file, other] = [sha256(randomBytes(32)), sha256(randomBytes(32))];
    const found = async (digest: Digest, workflow: string) => {
      const subject = [{ name: "app", sha256: digest.slice("sha256:".length) }];
      const container = { digest: { sha256: sha256(image.manifest).slice("sha256:".length) } };
      const statement = statementAbout(subject, CONTAINMENT_PREDICATE_TYPE, { container });
      const claims = actionsClaims({ workflow });
      return push(await house.sigstore.signStatement(statement, { claims }));
    };
    await found(file, ".github/workflows/unpack.yml");
    await found(other, ".github/workflows/other.yml");
    const allowed = await ask(file, "files");
    assert.ok(allowed.reasons[0]?.message.includes(`in ${sha256(image.manifest)} by the word of`));
    assert.deepEqual(allowed.codes, ["verdict-passed"]);
    assert.deepEqual((await ask(file)).codes, ["verdict-failed"], "which trusts nobody for that");
    assert.deepEqual((await ask(other, "files")).codes, ["verdict-failed"]);
    await openQuarantine(a.v, operator(), { artifact: image.digest, reason: "leaks" });
    assert.deepEqual((await ask(file, "files")).codes, ["quarantined"]);
    await holds(file);
  });

  test("a row that says more than the manifest does counts for nothing", async () => {
    const image = await aRelease();
    const stranger = sha256(randomBytes(32));
    await a.v.database.kysely
      .insertInto("containment")
      .values({ project_id: a.v.project, contained: stranger, container: image.digest, index: 1 })
      .execute();
    assert.deepEqual((await ask(stranger)).codes, ["verdict-failed"]);
  });

  test("a quarantined index denies its parts at once, on every node, for identities too, and whoever runs one is told", async () => {
    const image = await aRelease();
    const agent = agentCaller(b, "node-image");
    await fetchX509(b, agent, image.layer);
    const { asOf } = await watchIdentities(b.v, agent, undefined, AbortSignal.timeout(30_000));
    const change = watchIdentities(b.v, agent, asOf, AbortSignal.timeout(30_000));
    const since = performance.now();
    const { id } = await openQuarantine(a.v, operator(), { artifact: image.digest, reason: "leaks" });
    assert.deepEqual((await change).touched, [image.layer]);
    // A second, where the machine is not busy; by asking again it would have known after half a minute.
    assert.ok(performance.now() - since < 10_000);

    await untilRevoked(b, image.layer);
    const denied = await ask(image.layer);
    assert.deepEqual(denied.codes, ["quarantined"]);
    assert.ok(denied.reasons[0]?.message.includes(image.digest));
    await assert.rejects(fetchX509(b, agent, image.layer), { code: "identity-denied" });
    await liftQuarantine(a.v, operator(), { id, reason: "it did not" });
    await fetchX509(b, agent, image.layer);
    const report = await holds(image.layer);
    assert.deepEqual(
      report.events.flatMap(({ type }) => /^(?:quarantine|identity)\.(.+)/.exec(type)?.[1] ?? []),
      ["issued", "opened", "revoked", "denied", "lifted", "issued"],
    );
  });

  test("a custody file tells what a part's verdict rests on, and misses neither a byte nor a chain of it", async () => {
    const image = await aRelease();
    assert.equal((await ask(image.layer)).decision, "allow");
    await holds(image.layer);
    const file = Buffer.from(await packOf(a.v, operator(), image.layer)).toString();
    const failing = (text: string) =>
      verifyPack(Buffer.from(text), a.v.log.verifierKey)
        .checks.filter(({ status }) => status === "fails")
        .map(({ check }) => check);
    const lines = file
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const written = (some: readonly object[]) => some.map((line) => `${JSON.stringify(line)}\n`).join("");
    assert.equal(written(lines), file);

    const spaced = (bytes: string) =>
      Buffer.from(Buffer.from(bytes, "base64").toString().replace("}", " ")).toString("base64");
    const altered = lines.map((line) => ("manifest" in line ? { ...line, bytes: spaced(line.bytes) } : line));
    assert.ok(failing(written(altered)).includes("containment"));

    const ofOthers = ({ body }: { body?: { about: string[] } }) =>
      body !== undefined && !body.about.includes(image.layer) && !body.about.includes("*");
    assert.equal(
      lines.filter(ofOthers).length,
      5,
      "of the index: its provenance, three verdicts, and its manifest",
    );
    const found = failing(written(lines.filter((line) => !ofOthers(line))));
    assert.ok(found.includes("chain") && found.includes("verdict"), found.join());
  });

  test("a commit's verification summary that comes later turns a deny, and a newer one that failed turns it back", async () => {
    const sha = randomBytes(20).toString("hex");
    const digest = sha256(randomBytes(32));
    const claims = actionsClaims({ workflow: ".github/workflows/source.yml" });
    const summary = async (verificationResult: "PASSED" | "FAILED") => {
      const statement = statementAbout([], SUMMARY, {
        verifier: { id: "https://scs.example.org" },
        timeVerified: new Date().toISOString(),
        resourceUri: "git+https://github.com/acme/widget",
        policy: { uri: "https://scs.example.org/policy" },
        verificationResult,
        verifiedLevels: ["SLSA_SOURCE_LEVEL_3"],
      });
      const subject = [{ digest: { gitCommit: sha }, annotations: { sourceRefs: [claims.ref] } }];
      return push(await house.sigstore.signStatement({ ...statement, subject }, { claims }));
    };
    await provenance(digest, sha);
    assert.deepEqual((await ask(digest, "sourced")).codes, ["verdict-failed"]);
    const passed = await summary("PASSED");
    assert.deepEqual((await ask(digest, "sourced")).codes, ["verdict-passed"]);
    const turned = [{ digest, policies: ["sourced"] }];
    const lost = await revoke(passed.attestation.id);
    assert.deepEqual(lost.falls?.artifacts, turned);
    assert.deepEqual((await ask(digest, "sourced")).codes, ["evidence-revoked"]);
    await withdrawRevocation(a.v, operator(), { id: lost.id, reason: "a mistake" });
    assert.deepEqual((await ask(digest, "sourced")).codes, ["verdict-passed"]);
    const [commit] = revisionDigests(sha);
    assert.ok(commit);
    // Nobody asked since: what an issuer is told to do must not depend on that.
    await summary("PASSED");
    const grant = {
      artifact: digest,
      policies: ["sourced"],
      asOf: 1,
      grantedTo: "spiffe://a/b",
      issuer: "spire",
    };
    const recorded = await recordDecision(a.v, operator(), { ...grant, decision: "allow" });
    assert.equal(recorded.current, "allow");
    const { id } = await openQuarantine(a.v, operator(), { artifact: commit, reason: "malicious" });
    assert.deepEqual((await ask(digest, "sourced")).codes, ["quarantined"]);
    assert.equal((await ask(digest)).decision, "allow", "which asks nothing about the source");
    await liftQuarantine(a.v, operator(), { id, reason: "reverted" });
    // Logs tell the time in whole seconds; of one second, no evidence is newer than other.
    await setTimeout(1_100);
    const failed = await summary("FAILED");
    assert.deepEqual((await ask(digest, "sourced")).codes, ["verdict-failed"]);
    const against = await revoke(failed.attestation.id);
    assert.deepEqual([against.falls?.artifacts, against.falls?.gains], [[], turned]);
    assert.deepEqual((await ask(digest, "sourced")).codes, ["verdict-passed"], "by the one before it");
    const report = await holds(digest);
    assert.equal(report.events.filter(({ type }) => type === "evidence.accepted").length, 4);
  });
});
