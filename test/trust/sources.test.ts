import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { embeddedPublicGood } from "../../src/trust/embedded.ts";
import { createTrust } from "../../src/trust/snapshot.ts";
import { refreshInstance } from "../../src/trust/sources.ts";
import { refuseOlder } from "../../src/trust/tuf-source.ts";
import { openTufRepository, type TufRepository } from "./tuf-repository.ts";

test("the embedded public-good root loads without a network, and says where newer ones are", () => {
  const [instance] = createTrust({ sigstore: [embeddedPublicGood()], keys: [] }).instances;
  assert.equal(instance?.name, "public-good");
  assert.ok((instance?.certificateAuthorities.length ?? 0) > 0);
  assert.ok((instance?.logs.length ?? 0) > 0);
  assert.match(instance?.tuf?.repository ?? "", /^https:/);
});

describe("an instance that a TUF repository publishes", () => {
  const { trustedRoot } = embeddedPublicGood();
  const { timestampAuthorities: _, ...older } = trustedRoot;
  let cacheDir: string;
  let repository: TufRepository;
  before(async () => {
    cacheDir = await mkdtemp(join(tmpdir(), "trust-sources-"));
    repository = await openTufRepository();
    repository.publish({
      "trusted_root.json": JSON.stringify(older),
      "private.json": JSON.stringify(trustedRoot),
    });
  });
  after(async () => {
    await repository.close();
    await rm(cacheDir, { recursive: true });
  });
  const source = () => ({ repository: `${repository.url}/`, root: repository.root });

  test("is refreshed, and keeps its name and what it asks for", async () => {
    const before = { name: "own", trustedRoot: older, thresholds: { logEntries: 2 }, tuf: source() };
    const { instance, answer } = await refreshInstance(before, { cacheDir });
    assert.equal(answer.from, "network");
    assert.equal(
      JSON.stringify({ ...instance, tuf: undefined }),
      JSON.stringify({ ...before, tuf: undefined }),
    );
    assert.equal(instance.tuf?.targetsVersion, 1);
    assert.ok(createTrust({ sigstore: [instance], keys: [] }).instances[0]?.tuf);
  });

  test("may lie under another path than is usual", async () => {
    const tuf = { ...source(), target: "private.json" };
    const { instance } = await refreshInstance({ name: "own", tuf }, { cacheDir });
    assert.ok(Array.isArray(instance.trustedRoot.timestampAuthorities));
  });

  test("is not taken when it is older than what is active", async () => {
    const instancesOf = (changes: object) =>
      createTrust({ sigstore: [{ name: "own", trustedRoot, tuf: { ...source(), ...changes } }], keys: [] })
        .instances;
    const root = structuredClone(repository.root) as { signed: { version: number } };
    root.signed.version = 2;
    const active = instancesOf({ root, targetsVersion: 3 });
    const olderOnes = [{ root, targetsVersion: 2 }, { root }, { targetsVersion: 3 }];
    for (const changes of olderOnes) {
      assert.throws(() => refuseOlder(instancesOf(changes), active), { code: "invalid-trust" });
    }
    for (const changes of [{ root, targetsVersion: 3 }, { target: "other.json" }]) {
      refuseOlder(instancesOf(changes), active);
    }
  });

  test("is refused when what it says of its source is none", () => {
    const refuses = (tuf: object) =>
      assert.throws(
        () =>
          createTrust({ sigstore: [{ name: "own", trustedRoot, tuf: { ...source(), ...tuf } }], keys: [] }),
        { code: "invalid-trust" },
      );
    refuses({ repository: "file:///etc" });
    refuses({ repository: "nowhere" });
    refuses({ root: {} });
    refuses({ root: { signed: { _type: "targets", version: 1 } } });
    refuses({ root: { signed: { _type: "root", version: 0 } } });
    refuses({ targetsVersion: 1.5 });
    refuses({ target: "" });
    refuses({ more: 1 });
  });
});
