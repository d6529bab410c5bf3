/** The policy that slsa-verifier's options mean, held to what no signer at hand can be had to say. */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { findTests, runTests } from "../../../src/cli/policy/test-run.ts";
import { type ProvenanceOptions, provenancePolicy } from "../../../src/cli/verify/provenance.ts";
import { recordedTerminal } from "../../support/recorded-terminal.ts";
import { type OfflineHouse, openOfflineHouse } from "../offline.ts";

const GENERATOR = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows";
const BUILDER = "https://github.com/acme/builders/.github/workflows/trw.yml";
const SOURCE = "https://github.com/acme/widget";

let house: OfflineHouse;
before(async () => {
  house = await openOfflineHouse();
});
after(() => house.close());

/** Provenance v1 as the generator's framework writes it for a builder, and the delegator that signed. */
const delegated = (builder: string, delegator: string, claims: object, event: object) => ({
  signer: {
    issuer: "https://token.actions.githubusercontent.com",
    identity: `${GENERATOR}/delegator_generic_slsa3.yml@refs/tags/${delegator}`,
    claims,
  },
  predicateType: "https://slsa.dev/provenance/v1",
  predicate: {
    buildDefinition: {
      buildType: "https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0",
      externalParameters: {},
      internalParameters: event,
      resolvedDependencies: [{ uri: `git+${SOURCE}@refs/tags/v1.0.0`, digest: { sha1: "a".repeat(40) } }],
    },
    runDetails: { builder: { id: `${BUILDER}@refs/tags/${builder}` } },
  },
});

const HOSTED = { runnerEnvironment: "github-hosted", sourceRepositoryUri: SOURCE };
const RELEASED = {
  GITHUB_EVENT_NAME: "release",
  GITHUB_EVENT_PAYLOAD: { release: { target_commitish: "main" }, inputs: { channel: "beta" } },
};
const ASKED: ProvenanceOptions = { sourceUri: "github.com/acme/widget", builderId: BUILDER };
type Evidence = ReturnType<typeof delegated>;
const good = delegated("v1.0.0", "v2.1.0", HOSTED, RELEASED);

const CASES: readonly (readonly [string, ProvenanceOptions, Evidence, "allow" | readonly string[]])[] = [
  ["a builder of somebody else's, for which the delegator signed", ASKED, good, "allow"],
  ["its release by name", { ...ASKED, builderId: `${BUILDER}@v1.0.0` }, good, "allow"],
  ["another release", { ...ASKED, builderId: `${BUILDER}@v1.0.1` }, good, ["rule:builder-id"]],
  [
    "a certificate that does not say of which repository the run was",
    ASKED,
    delegated("v1.0.0", "v2.1.0", { runnerEnvironment: "github-hosted" }, RELEASED),
    ["rule:certified-source"],
  ],
  [
    "a runner of one's own",
    ASKED,
    delegated("v1.0.0", "v2.1.0", { ...HOSTED, runnerEnvironment: "self-hosted" }, RELEASED),
    ["rule:hosted-runner"],
  ],
  [
    "a candidate for a release of the builder",
    ASKED,
    delegated("v1.0.0-rc.1", "v2.1.0", HOSTED, RELEASED),
    ["rule:released"],
  ],
  [
    "a candidate for a release of the delegator",
    ASKED,
    delegated("v1.0.0", "v2.1.0-rc.1", HOSTED, RELEASED),
    ["rule:released"],
  ],
  ["the branch that a release was made of", { ...ASKED, sourceBranch: "main" }, good, "allow"],
  ["another", { ...ASKED, sourceBranch: "dev" }, good, ["rule:source-branch"]],
  [
    "inputs of a run that nobody dispatched",
    { ...ASKED, buildWorkflowInput: ["channel=beta"] },
    good,
    ["rule:build-workflow-input-1"],
  ],
];

describe("what slsa-verifier's options ask of a builder made with the generator's framework", () => {
  for (const [i, [name, options, evidence, expected]] of CASES.entries()) {
    test(`${name}: ${expected}`, async () => {
      const policy = provenancePolicy(options, false, []) ?? assert.fail();
      await mkdir(join(house.directory, String(i)));
      await house.write(`${i}/command-line.yaml`, policy.text);
      const expect = expected === "allow" ? "allow" : { deny: expected };
      const testFile = await house.write(`${i}/command-line.test.yaml`, {
        apiVersion: "vouchsafe.dev/v1",
        kind: "PolicyTest",
        spec: {
          policy: "command-line",
          time: "2026-03-01T12:00:00Z",
          evidence: { built: evidence },
          cases: [{ name: "it", evidence: ["built"], expect }],
        },
      });
      const { terminal, written } = recordedTerminal();
      const ran = await runTests({ terminal, json: false }, await findTests([testFile]));
      assert.deepEqual(
        ran?.map(({ passed }) => passed),
        [true],
        written.stdout + written.stderr,
      );
    });
  }
});
