import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { hasCode } from "../../../src/errors.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import { readOutboundRules } from "../../../src/outbound/rules.ts";
import { openDiscoveries } from "../../../src/services/evidence/discoveries.ts";
import { ENVELOPE, startOciRegistry } from "../../support/oci-registry.ts";
import { envelopeKey, signedEnvelope } from "../signed-envelope.ts";

const outbound = readOutboundRules(["127.0.0.1"]).rules;
const open = (discoveryHosts: readonly string[], discoveryCredentials?: string, clock = () => 0) =>
  openDiscoveries({ outbound, discoveryHosts, discoveryCredentials }, { clock });

test("the installation's credentials are used, and what they show is kept, for its own project alone", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-discoveries-"));
  t.after(() => rm(directory, { recursive: true }));
  const registry = await startOciRegistry(t, { auth: { basic: "robot:secret" } });
  const { digest, bytes } = signedEnvelope(envelopeKey().privateKey);
  registry.refer(digest, bytes, ENVELOPE);
  const file = join(directory, "config.json");
  const auth = Buffer.from("robot:secret").toString("base64");
  await writeFile(file, JSON.stringify({ auths: { [registry.host]: { auth } } }));
  let now = 0;
  const discoveries = await open([registry.host], file, () => now);
  const reference = `oci://${registry.host}/${registry.repository}`;
  const ours = { project: "default", isOwn: true };
  const theirs = { project: "other", isOwn: false };
  const own = await discoveries.find(digest, reference, ours);
  assert.deepEqual(
    own.found.map(({ bytes }) => sha256(bytes)),
    [sha256(bytes)],
  );
  const other = await discoveries.find(digest, reference, theirs);
  assert.ok(hasCode(other.trouble, "outbound-failed"));
  assert.deepEqual(other.found, []);

  const asked = registry.asked.length;
  await discoveries.find(digest, reference, ours);
  assert.equal(registry.asked.length, asked);
  now += 61_000;
  await discoveries.find(digest, reference, ours);
  assert.ok(registry.asked.length > asked);
  await writeFile(file, "robot:secret");
  await assert.rejects(
    open([], file),
    (error: Error) => hasCode(error, "configuration-invalid") && !/secret/.test(error.message),
  );
});

test("what one project was given is not given to another, which would tell by how quickly it is", async (t) => {
  const registry = await startOciRegistry(t);
  const { digest, bytes } = signedEnvelope(envelopeKey().privateKey);
  registry.refer(digest, bytes, ENVELOPE);
  const discoveries = await open([registry.host]);
  const requests = async (project: string) => {
    const before = registry.asked.length;
    await discoveries.find(digest, `oci://${registry.host}/${registry.repository}`, {
      project,
      isOwn: false,
    });
    return registry.asked.length - before;
  };
  const first = await requests("a");
  assert.ok(first > 0);
  assert.deepEqual([await requests("a"), await requests("b")], [0, first]);
});

test("a project's searches, and a node's, are so many at once", async () => {
  const discoveries = await open([]);
  const { promise, resolve } = Promise.withResolvers<void>();
  const running: Promise<void>[] = [];
  const search = (project: string) => running.push(discoveries.inTurn(project, () => promise));
  for (const project of ["project 0", "project 1", "project 2"])
    for (let i = 0; i < 4; i += 1) search(project);
  const refused = (project: string, code: "rate-limited" | "unavailable") =>
    assert.rejects(
      discoveries.inTurn(project, async () => {}),
      (error) => hasCode(error, code),
    );
  await refused("project 0", "rate-limited");
  // Three that ask for all there is leave room for the next, and that for one more.
  for (const project of ["project 3", "project 3", "project 4"]) search(project);
  await refused("project 3", "unavailable");
  await refused("another", "unavailable");
  resolve();
  await Promise.all(running);
  assert.equal(await discoveries.inTurn("project 0", async () => 7), 7);
});
