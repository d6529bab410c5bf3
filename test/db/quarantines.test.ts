import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, before, it } from "node:test";
import type { ProjectId } from "../../src/custody/events.ts";
import { type QuarantineTarget, quarantineText } from "../../src/custody/quarantine-target.ts";
import { holdsArtifact } from "../../src/custody/quarantines.ts";
import { saidIn } from "../../src/custody/said-in.ts";
import type { Database } from "../../src/db/connection.ts";
import { readDecisionInputs } from "../../src/db/decision-inputs.ts";
import { readHead } from "../../src/db/log.ts";
import { heldAmong, openQuarantines } from "../../src/db/quarantines.ts";
import { decide } from "../../src/decisions/decide.ts";
import type { Digest, JsonObject } from "../../src/in-toto-attestation/types.ts";
import { forPostgres } from "../support/databases.ts";
import fc from "../support/fc.ts";
import { openLogNode, testSigner } from "../support/log-node.ts";
import { acceptedEvent, digestOf, verdictEvent } from "../support/pushes.ts";

const ARTIFACTS = ["app", "image", "base"].map(digestOf);
const name = fc.constantFrom("a", "b");
const digest = fc.constantFrom(...ARTIFACTS);
const evidence = fc.record({
  artifact: digest,
  signer: fc.oneof(
    fc.record({ case: fc.constant("certificate"), issuer: name, identity: name, instance: fc.constant("i") }),
    fc.record({ case: fc.constant("key"), name, keyId: name }),
  ),
  source: fc.oneof(fc.record({ repository: name }), fc.constant({})),
  builder: fc.option(name),
});
const target: fc.Arbitrary<QuarantineTarget> = fc.oneof(
  fc.record({ artifact: digest }),
  fc.record({ builder: name }),
  fc.record({ repository: name }),
  fc.record({ signer: fc.record({ issuer: name, identity: name }) }),
  fc.record({ signer: fc.record({ key: name, keyId: name }) }),
  fc.record({ policy: fc.constantFrom("release", "other") }),
  fc.record({ serial: name }),
);

forPostgres("what a quarantine holds", (create) => {
  let database: Database;
  let node: Awaited<ReturnType<typeof openLogNode>>;

  before(async () => {
    const test = await create();
    database = await test.open();
    node = await openLogNode({ database, dataDir: test.dataDir, signer: testSigner() });
  });
  after(() => node.close());

  it("is denied, itself or what it rests on, and nothing else is: in SQL as by what events say", async () => {
    const story = fc.tuple(fc.array(evidence, { maxLength: 4 }), target, fc.subarray(ARTIFACTS));
    await fc.assert(
      fc.asyncProperty(story, async ([accepted, target, restsOn]) => {
        const project = randomUUID() as ProjectId;
        const append = async (proposal: Omit<Parameters<typeof node.writer.append>[0], "project" | "asOf">) =>
          node.writer.append({ project, asOf: (await readHead(database.kysely)).size, ...proposal });
        const bodies: { artifact: Digest; body: JsonObject }[] = [];
        for (const { artifact, ...said } of accepted) {
          const bytes = randomBytes(16);
          const event = acceptedEvent(artifact, digestOf(bytes), bytes.length);
          const body: JsonObject = { ...event.body, ...said };
          const stored = { id: digestOf(bytes), mediaType: "application/json", bytes };
          await append({ restsOn: [], events: [{ ...event, body }], evidence: stored });
          bodies.push({ artifact, body });
        }
        const [app = digestOf("")] = ARTIFACTS;
        const passed = verdictEvent(app, digestOf("evidence"));
        const named = "artifact" in target ? target : { target: target as unknown as JsonObject };
        const body = { id: randomUUID(), ...named, reason: "r", caller: "c" };
        const about = "artifact" in target ? [target.artifact] : (["*"] as const);
        await append({
          restsOn: [],
          events: [
            { ...passed, body: { ...passed.body, restsOn } },
            { type: "quarantine.opened", about, body },
          ],
        });

        const { verdicts, quarantines } = await readDecisionInputs(database.kysely, project, app);
        const inForce = {
          policies: new Map(
            verdicts.map(({ policy, policyHash }) => [
              policy,
              { hash: policyHash, spec: { mode: "enforce" as const } },
            ]),
          ),
          trust: verdicts[0]?.trustHash ?? "",
          holding: new Set(verdicts.map(({ trustHash }) => trustHash)),
          revocationsAsOf: 0,
          isSuspended: false,
        };
        const input = {
          digest: app,
          policies: ["release"],
          inForce,
          verdicts,
          approvals: [],
          exceptions: [],
        };
        // Evidence that was pushed meanwhile would outdate the verdict.
        const at = { ...input, verdicts: verdicts.map((one) => ({ ...one, isOvertaken: false })) };
        assert.equal(decide({ ...at, quarantines: [] }, 0).decision, "allow");

        const evidenceAbout = (artifact: Digest) =>
          bodies.filter((one) => one.artifact === artifact).map((one) => saidIn(one.body));
        const held = ARTIFACTS.filter((artifact) => holdsArtifact(target, artifact, evidenceAbout(artifact)));
        const isMet =
          ("policy" in target && target.policy === "release") ||
          [app, ...restsOn].some((artifact) => held.includes(artifact));
        assert.equal(decide({ ...at, quarantines }, 0).decision === "deny", isMet, quarantineText(target));
        if (!("policy" in target || "spiffeId" in target || "serial" in target)) {
          const found = await heldAmong(database.kysely, project, target, ARTIFACTS);
          assert.deepEqual([...found].sort(), held.sort());
        }
        const [open] = await openQuarantines(database.kysely, project);
        assert.equal(JSON.stringify(open?.target), JSON.stringify(target));
      }),
      { numRuns: 40 },
    );
  });
});
