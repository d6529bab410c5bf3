import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readEvents } from "../../../src/db/log.ts";
import type { JsonObject } from "../../../src/in-toto-attestation/types.ts";
import { createProject } from "../../../src/services/access/projects.ts";
import { activateTrust, readTrust } from "../../../src/services/activation/activate-trust.ts";
import { refreshTrust, refreshTrustByItself } from "../../../src/services/activation/refresh-trust.ts";
import type { Caller } from "../../../src/services/caller.ts";
import { readArtifact } from "../../../src/services/decisions/find-artifacts.ts";
import { verifyDigest } from "../../../src/services/decisions/verify-digest.ts";
import { lookAtNetwork } from "../../../src/services/doctor/network.ts";
import { pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import { exposeNode } from "../../../src/services/telemetry/node-metrics.ts";
import type { TrustDocument } from "../../../src/trust/snapshot.ts";
import type { TestNode } from "../../http/node.ts";
import { signRelease } from "../../http/release.ts";
import { openTufRepository, type TufRepository } from "../../trust/tuf-repository.ts";
import { ownAuthority } from "../own-authority.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../release-node.ts";
import { envelopeKey, signedEnvelope } from "../signed-envelope.ts";

const TESTED = `apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: tested }
spec:
  artifacts: { names: [widget] }
  signers: [{ key: builder }, { issuer: "x509:build-ca", identity: builder }]
`;
const TARGET = "trusted_root.json";

const key = envelopeKey();
const own = ownAuthority();
let directory: string;
let repository: TufRepository;
let house: ReleaseHouse;
let node: TestNode;
let caller: Caller;
/** What is active at the start of each test. */
let base: TrustDocument;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-trust-"));
  repository = await openTufRepository();
  house = await openReleaseHouse(undefined, { "tested.yaml": TESTED });
  const { trustedRoot } = house.sigstore;
  const document: TrustDocument = {
    sigstore: [{ name: "local", trustedRoot, tuf: { repository: repository.url, root: repository.root } }],
    keys: [{ name: "builder", publicKey: key.pem }],
    x509: own.roots,
  };
  publish(trustedRoot);
  await writeFile(join(directory, "trust.json"), JSON.stringify(document));
  node = await house.open({ VOUCHSAFE_TRUSTED_ROOT: "", VOUCHSAFE_TRUST: join(directory, "trust.json") });
  caller = callerWith(node, ["operator"], ["release"]);
  base = (await readTrust(node.v, caller)).document ?? document;
});
after(async () => {
  await house.close();
  await repository.close();
  await rm(directory, { recursive: true });
});

function first<T>([item]: readonly T[]): T {
  assert.ok(item);
  return item;
}
/** Evidence about an artifact, and the policy that passes it. */
interface Pushable {
  readonly digest: string;
  readonly bytes: Uint8Array;
  readonly policy: string;
}
function publish(trustedRoot: JsonObject, expires?: number) {
  repository.publish({ [TARGET]: JSON.stringify(trustedRoot) }, expires === undefined ? {} : { expires });
}
const active = async () => (await readTrust(node.v, caller)).trust;
async function activate(document: TrustDocument) {
  return activateTrust(node.v, caller, { document, previous: await active() });
}
async function push(bytes: Uint8Array) {
  await pushAttestation(node.v, caller, { bytes });
}
async function decisionOn(digest: string, policies: readonly string[]) {
  return (await verifyDigest(node.v, { ...caller, policies }, { digest })).decision;
}
/** Waits, without asking for a decision, until the artifact's verdicts are of what is in force. */
async function verdictMadeAnew(digest: string): Promise<string | undefined> {
  for (;;) {
    const [verdict] = (await readArtifact(node.v, caller, digest)).verdicts;
    if (verdict?.current) return verdict.outcome;
    await sleep(20);
  }
}

describe("an instance that a TUF repository publishes", () => {
  test("is renewed where that only adds: recorded, and nothing that passed is denied", async () => {
    const { digest, bundle } = await signRelease(house.sigstore);
    await push(bundle);
    const { trustedRoot } = house.sigstore;
    const [log] = trustedRoot.tlogs as readonly JsonObject[];
    const before = await active();
    publish({ ...trustedRoot, tlogs: [log ?? {}, { ...log, baseUrl: "https://second.example.org" }] });
    await refreshTrustByItself(node.v, caller);
    const now = await readTrust(node.v, caller);
    assert.notEqual(now.trust, before);
    assert.equal(now.document?.sigstore[0]?.tuf?.targetsVersion, 2);
    assert.equal(now.summary?.sigstore[0]?.logs.length, 2);
    assert.equal(now.sources[0]?.from, "network");
    const size = node.v.projection.size;
    const events = await readEvents(
      node.v.database.kysely,
      node.v.project,
      Array.from({ length: size }, (_, i) => i),
    );
    const activation = events.findLast(({ type }) => type === "trust.activated");
    assert.deepEqual(
      [activation?.body.previous, activation?.body.trust, activation?.body.extendsPrevious],
      [before, now.trust, true],
    );
    assert.equal(await decisionOn(digest, ["release"]), "allow");
    await refreshTrustByItself(node.v, caller);
    assert.equal(await active(), now.trust, "what is published already is not activated again");
  });

  test("is left as it is where trust would be withdrawn, until an operator says so", async () => {
    const { digest, bundle } = await signRelease(house.sigstore);
    await push(bundle);
    const before = await active();
    publish({ ...house.sigstore.trustedRoot, certificateAuthorities: [] });
    await refreshTrustByItself(node.v, caller);
    assert.equal(await active(), before);
    assert.equal(await decisionOn(digest, ["release"]), "allow");

    const { proposal } = await refreshTrust(node.v, caller);
    assert.ok(proposal);
    assert.equal(proposal.extendsActive, false);
    await activateTrust(node.v, caller, { document: proposal.document, previous: before });
    assert.equal(await verdictMadeAnew(digest), "failed");
    assert.equal(await decisionOn(digest, ["release"]), "deny");
  });

  test("never goes back to what was withdrawn, also when the cache is lost", async () => {
    publish(house.sigstore.trustedRoot);
    const goBack = repository.save();
    publish({ ...house.sigstore.trustedRoot, timestampAuthorities: [] });
    const { active: previous, proposal } = await refreshTrust(node.v, caller);
    await activateTrust(node.v, caller, { document: proposal?.document ?? base, previous });
    const newest = await active();
    goBack();
    await rm(join(node.v.config.dataDir, "tuf"), { recursive: true });
    assert.equal((await refreshTrust(node.v, caller)).proposal?.extendsActive, true);
    await assert.rejects(refreshTrustByItself(node.v, caller), { code: "invalid-trust", message: /older/ });
    assert.equal(await active(), newest);
  });

  test("stays as it is when its repository is gone and what it said has expired", async () => {
    publish(house.sigstore.trustedRoot);
    publish(house.sigstore.trustedRoot, Date.now() + 2500);
    await refreshTrustByItself(node.v, caller);
    const before = await active();
    repository.online = false;
    const [offline] = (await refreshTrust(node.v, caller)).sources;
    assert.equal(offline?.from, "cache");
    await sleep(2600);
    const { sources, proposal } = await refreshTrust(node.v, caller);
    assert.equal(sources[0]?.from, null);
    assert.match(sources[0]?.problem ?? "", /its metadata expired on/);
    assert.equal(proposal, null);
    assert.equal(await active(), before);
    assert.deepEqual((await readTrust(node.v, caller)).sources, sources);
    repository.online = true;
  });
});

describe("the TUF repositories that another project names", () => {
  test("are neither what the node's metrics tell of nor what its doctor asks", async () => {
    exposeNode(node.v);
    publish(house.sigstore.trustedRoot);
    await refreshTrust(node.v, caller);
    // Before default in every list, as tenants may be called.
    const { project } = await createProject(node.v, caller, { name: "acme" });
    const tenant = { ...caller, project };
    const [instance] = base.sigstore;
    assert.ok(instance?.tuf);
    const others = { ...instance.tuf, repository: `${repository.url}/tenant` };
    for (const [name, tuf] of [
      ["theirs", instance.tuf],
      ["secret-plan", others],
    ] as const) {
      const { trust: previous } = await readTrust(node.v, tenant);
      await activateTrust(node.v, tenant, {
        document: { sigstore: [{ ...instance, name, tuf }], keys: [] },
        previous,
      });
      assert.equal((await refreshTrust(node.v, tenant)).sources[0]?.name, name);
      const told = await node.v.metrics.registry.getSingleMetricAsString(
        "vouchsafe_trust_expiry_timestamp_seconds",
      );
      assert.deepEqual(told.match(/instance="[^"]*"/g), ['instance="local"']);
    }
    assert.equal(
      [...node.v.trustSources.values()].flat().length,
      2,
      "what a project named before is not kept",
    );
    const config = { ...node.v.config, tuf: "auto", rekorUrl: undefined } as const;
    const asked = repository.asked.length;
    await lookAtNetwork(config, node.v.database);
    assert.deepEqual(repository.asked.slice(asked), ["/"]);
  });
});

describe("trust that is taken away", () => {
  const [ca, tsa] = own.roots;
  const instance = () => first(base.sigstore);
  const builder = () => first(base.keys);
  const past = "2021-01-01T00:00:00Z";
  const byKey = () => ({ ...signedEnvelope(key.privateKey), policy: "tested" });
  const byOwn = () => ({ ...own.sign(), policy: "tested" });
  const byInstance = async () => {
    const { digest, bundle } = await signRelease(house.sigstore);
    return { digest, bytes: bundle, policy: "release" };
  };

  const changes: readonly [string, () => Pushable | Promise<Pushable>, () => Partial<TrustDocument>][] = [
    ["a key removed", byKey, () => ({ keys: [] })],
    ["a key that ended", byKey, () => ({ keys: [{ ...builder(), validUntil: past }] })],
    ["a key for other evidence", byKey, () => ({ keys: [{ ...builder(), predicateTypes: ["other"] }] })],
    [
      "a key that needs a log entry",
      byKey,
      () => ({ keys: [{ ...builder(), thresholds: { logEntries: 1 } }] }),
    ],
    ["an X.509 root removed", byOwn, () => ({ x509: [tsa] })],
    ["an X.509 root that ended", byOwn, () => ({ x509: [{ ...ca, validUntil: past }, tsa] })],
    ["an X.509 root for other uses", byOwn, () => ({ x509: [{ ...ca, uses: ["timestamps"] }, tsa] })],
    ["the timestamp authority removed", byOwn, () => ({ x509: [ca] })],
    ["an instance removed", byInstance, () => ({ sigstore: [] })],
    [
      "an instance renamed and without its log",
      byInstance,
      () => ({
        sigstore: [{ name: "renamed", trustedRoot: { ...instance().trustedRoot, tlogs: [] } }],
      }),
    ],
    [
      "an instance that asks for more",
      byInstance,
      () => ({
        sigstore: [{ ...instance(), thresholds: { timestamps: 2 } }],
      }),
    ],
  ];
  for (const [change, evidence, narrowing] of changes) {
    test(`${change}: what rests on it is denied at once, and verified anew`, async () => {
      // Without the source: these documents are older than what the tests before activated.
      const { tuf: _, ...withoutSource } = instance();
      const before = { ...base, sigstore: [withoutSource] };
      await activate(before);
      const { digest, bytes, policy } = await evidence();
      await push(bytes);
      assert.equal(await decisionOn(digest, [policy]), "allow");

      const narrowed = await activate({ ...before, ...narrowing() });
      assert.equal(narrowed.extendsPrevious, false);
      assert.equal(await verdictMadeAnew(digest), "failed");
      assert.equal(await decisionOn(digest, [policy]), "deny");
      await activate(before);
      assert.equal(await decisionOn(digest, [policy]), "allow");
    });
  }
});
