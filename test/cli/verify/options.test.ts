/** cosign's, gh's and slsa-verifier's options, each with what it must take and what it must refuse. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { UsageError } from "../../../src/cli/usage-error.ts";
import type { VerifyOptions } from "../../../src/cli/verify/offline.ts";
import { ACTIONS_ISSUER, actionsClaims } from "../../sigstore/github-actions.ts";
import { type Sigstore, startSigstore } from "../../sigstore/instance.ts";
import { type InTotoStatement, slsaProvenance, statementAbout } from "../../sigstore/provenance.ts";
import { type OfflineHouse, openOfflineHouse, tell } from "../offline.ts";

const WIDGET = { name: "widget.tgz", bytes: Buffer.from("the widget") };
const BUILDER = "acme/builders/.github/workflows/build.yml";
const GENERIC = "slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml";

/** Builds of acme/widget's: by its own workflow, by a reusable one at a release, and by the generic generator. */
const RUNS = {
  own: actionsClaims(),
  selfHosted: actionsClaims({ runnerEnvironment: "self-hosted" }),
  reusable: actionsClaims({ jobWorkflowRef: `${BUILDER}@refs/tags/v1.2.3` }),
  candidate: actionsClaims({ jobWorkflowRef: `${BUILDER}@refs/tags/v1.2.3-rc.1` }),
  branch: actionsClaims({ jobWorkflowRef: `${BUILDER}@refs/heads/main` }),
  generic: actionsClaims({ jobWorkflowRef: `${GENERIC}@refs/tags/v2.1.0`, ref: "refs/tags/v1.4.0" }),
  dispatched: actionsClaims({ jobWorkflowRef: `${GENERIC}@refs/tags/v2.1.0`, event: "workflow_dispatch" }),
};
type Run = keyof typeof RUNS;
/** Evidence about the widget, by what is special about it. */
type Bundle = Run | "lying" | "npm" | "npmFirst" | "sbom";

const RUNNER = "https://github.com/actions/runner";

let sigstore: Sigstore;
let house: OfflineHouse;
let widget: string;
let root: string;
const bundles = new Map<string, string>();
before(async () => {
  [sigstore, house] = await Promise.all([startSigstore(), openOfflineHouse()]);
  widget = await house.write(WIDGET.name, WIDGET.bytes);
  root = await house.write("root.json", sigstore.trustedRoot);
  for (const [name, claims] of Object.entries(RUNS)) {
    const statement =
      name === "generic" || name === "dispatched" ? generated(name) : slsaProvenance([WIDGET], claims);
    bundles.set(name, await house.write(`${name}.json`, await sigstore.signStatement(statement, { claims })));
  }
  // Its signer is acme/widget's, and it says that another repository was built.
  const lying = slsaProvenance([WIDGET], actionsClaims({ repository: "acme/gadget" }), {
    builderId: "https://github.com/actions/runner/github-hosted",
  });
  bundles.set("lying", await house.write("lying.json", await sigstore.signStatement(lying)));
  const published = { claims: RUNS.own };
  bundles.set("npm", await house.write("npm.json", await sigstore.signStatement(byNpm(false), published)));
  bundles.set(
    "npmFirst",
    await house.write("npm02.json", await sigstore.signStatement(byNpm(true), published)),
  );
  const sbom = statementAbout([WIDGET], "https://spdx.dev/Document/v2.3", {});
  bundles.set("sbom", await house.write("sbom.json", await sigstore.signStatement(sbom)));
});
after(async () => {
  await sigstore?.close();
  await house?.close();
});

/** v0.2 as the generic generator writes it. */
function generated(name: "generic" | "dispatched"): InTotoStatement {
  const { ref, sha, event_name, job_workflow_ref } = RUNS[name];
  const source = { uri: `git+https://github.com/acme/widget@${ref}`, digest: { sha1: sha } };
  const payload =
    name === "dispatched" ? { inputs: { channel: "beta" } } : { base_ref: "refs/heads/release", ref };
  return statementAbout([WIDGET], "https://slsa.dev/provenance/v0.2", {
    builder: { id: `https://github.com/${job_workflow_ref}` },
    buildType: "https://github.com/slsa-framework/slsa-github-generator/generic@v1",
    invocation: {
      configSource: { ...source, entryPoint: ".github/workflows/release.yml" },
      parameters: {},
      environment: { github_event_name: event_name, github_event_payload: payload, github_ref: ref },
    },
    materials: [source],
  });
}

/** As npm's client wrote provenance: v0.2 at first, which had another name for the runner, and v1 since. */
function byNpm(isFirst: boolean): InTotoStatement {
  const { ref, sha } = RUNS.own;
  if (!isFirst) {
    return statementAbout([WIDGET], "https://slsa.dev/provenance/v1", {
      buildDefinition: {
        buildType: "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
        externalParameters: { workflow: { ref, repository: "https://github.com/acme/widget" } },
        resolvedDependencies: [
          { uri: `git+https://github.com/acme/widget@${ref}`, digest: { gitCommit: sha } },
        ],
      },
      runDetails: { builder: { id: `${RUNNER}/github-hosted` } },
    });
  }
  const source = { uri: `git+https://github.com/acme/widget@${ref}`, digest: { sha1: sha } };
  return statementAbout([WIDGET], "https://slsa.dev/provenance/v0.2", {
    builder: { id: RUNNER },
    buildType: "https://github.com/npm/cli/gha/v2",
    invocation: { configSource: { ...source, entryPoint: ".github/workflows/release.yml" } },
    materials: [source],
  });
}

type Asked = Omit<VerifyOptions, "bundle">;

async function outcome(run: Bundle, asked: Asked): Promise<string> {
  const bundle = [bundles.get(run) ?? assert.fail(run)];
  try {
    return (await tell(widget, { bundle, trustedRoot: [root], ...asked })).failed ?? "verified";
  } catch (error) {
    if (error instanceof UsageError) return "usage";
    throw error;
  }
}

const OTHERS = "identity signer-mismatch";
const TYPE = "statement statement-mismatch";
const FAILS = "policy verdict-failed";
const SOURCE = { sourceUri: "github.com/acme/widget" };
const WORKFLOW = "acme/widget/.github/workflows/release.yml";

const regexp = (certificateIdentityRegexp: string): Asked => ({
  certificateIdentityRegexp,
  certificateOidcIssuer: ACTIONS_ISSUER,
});
const issuer = (certificateOidcIssuerRegexp: string): Asked => ({
  certificateIdentityGlob: "**",
  certificateOidcIssuerRegexp,
});

const CASES: Readonly<Record<string, readonly (readonly [Bundle, Asked, string])[]>> = {
  "--certificate-identity-regexp, of the whole name": [
    ["own", regexp("https://github\\.com/acme/widget/.*"), "verified"],
    [
      "own",
      regexp("(?i)https://GITHUB\\.com/acme/[^/]+/\\.github/workflows/release\\.yml@refs/heads/main"),
      "verified",
    ],
    ["own", regexp("^https://github\\.com/acme/"), OTHERS],
    ["own", regexp("acme/widget"), OTHERS],
    ["own", regexp("a|.*refs/heads/main"), "verified"],
    ["own", regexp("(.*)\\1"), "usage"],
    ["own", { ...regexp(".*"), certificateIdentity: "x" }, "usage"],
  ],
  "--certificate-oidc-issuer-regexp": [
    ["own", issuer("https://token\\.actions\\.githubusercontent\\.com"), "verified"],
    ["own", issuer("https://token\\.actions\\.githubusercontent"), OTHERS],
    ["own", issuer("("), "usage"],
    ["own", { ...issuer(".*"), certificateOidcIssuer: ACTIONS_ISSUER }, "usage"],
    ["own", { certificateOidcIssuerRegexp: ".*" }, "usage"],
  ],
  "--repo and --owner": [
    ["own", { repo: "acme/widget" }, "verified"],
    ["own", { repo: "acme/widge" }, OTHERS],
    ["own", { repo: "acme/gadget" }, OTHERS],
    ["own", { repo: "acme" }, "usage"],
    ["own", { repo: "https://github.com/acme/widget" }, "usage"],
    ["own", { owner: "acme" }, "verified"],
    ["own", { owner: "acm" }, OTHERS],
    ["own", { owner: "acme/widget" }, "usage"],
    ["own", { owner: "acme", repo: "acme/widget" }, "usage"],
    ["own", { repo: "acme/widget", certificateOidcIssuer: "https://accounts.google.com" }, OTHERS],
    ["reusable", { repo: "acme/widget" }, OTHERS],
    // Provenance alone, unless another type is named.
    ["sbom", { repo: "acme/widget" }, TYPE],
    ["sbom", { repo: "acme/widget", predicateType: ["spdx"] }, "verified"],
  ],
  "--signer-workflow and --signer-repo": [
    ["own", { signerWorkflow: WORKFLOW }, "verified"],
    ["own", { signerWorkflow: `github.com/${WORKFLOW}@refs/heads/main` }, "verified"],
    ["own", { signerWorkflow: `${WORKFLOW}@refs/tags/v1` }, OTHERS],
    ["own", { signerWorkflow: WORKFLOW.replace("release.yml", "release") }, OTHERS],
    ["own", { signerWorkflow: "release.yml" }, "usage"],
    ["reusable", { signerWorkflow: BUILDER, repo: "acme/widget" }, "verified"],
    ["reusable", { signerWorkflow: BUILDER, repo: "acme/gadget" }, OTHERS],
    ["reusable", { signerRepo: "acme/builders", owner: "acme" }, "verified"],
    ["reusable", { signerRepo: "acme/build" }, OTHERS],
    ["own", { signerRepo: "acme/widget", signerWorkflow: WORKFLOW }, "usage"],
  ],
  "--deny-self-hosted-runners": [
    ["selfHosted", { repo: "acme/widget" }, "verified"],
    ["selfHosted", { repo: "acme/widget", denySelfHostedRunners: true }, OTHERS],
    ["own", { repo: "acme/widget", denySelfHostedRunners: true }, "verified"],
    ["own", { denySelfHostedRunners: true }, "usage"],
  ],
  "--predicate-type, by cosign's names": [
    ["own", { repo: "acme/widget", predicateType: ["slsaprovenance1"] }, "verified"],
    ["own", { repo: "acme/widget", predicateType: ["slsaprovenance"] }, TYPE],
    ["own", { repo: "acme/widget", predicateType: ["cyclonedx", "slsaprovenance1"] }, "verified"],
    ["own", { repo: "acme/widget", predicateType: ["slsaprovenance3"] }, "usage"],
  ],
  "--source-uri, whose builder is slsa-github-generator unless it is named": [
    ["generic", SOURCE, "verified"],
    ["generic", { sourceUri: "git+https://github.com/acme/widget" }, "verified"],
    ["generic", { sourceUri: "github.com/acme/widge" }, FAILS],
    ["generic", { sourceUri: "github.com/acme/widget@refs/tags/v1.4.0" }, "usage"],
    ["generic", { sourceUri: "github.com/acme/*" }, "usage"],
    ["generic", { ...SOURCE, policy: ["policy.yaml"] }, "usage"],
    ["generic", { ...SOURCE, anySigner: true }, "usage"],
    // Just anybody's word does not do, not even the repository's own.
    ["own", SOURCE, FAILS],
    ["reusable", SOURCE, FAILS],
    ["lying", SOURCE, FAILS],
    // Who is named may say it.
    ["own", { ...SOURCE, repo: "acme/widget" }, "verified"],
    ["own", { sourceUri: "github.com/acme/gadget", signerWorkflow: WORKFLOW }, FAILS],
    // That a workflow of the repository looked at it does not say that it was built there.
    ["sbom", { ...SOURCE, signerWorkflow: WORKFLOW }, FAILS],
    ["sbom", { ...SOURCE, repo: "acme/widget", predicateType: ["spdx"] }, FAILS],
    ["lying", { sourceUri: "github.com/acme/gadget", signerWorkflow: WORKFLOW }, FAILS],
  ],
  "--builder-id": [
    ["generic", { ...SOURCE, builderId: `https://github.com/${GENERIC}` }, "verified"],
    ["generic", { ...SOURCE, builderId: `https://github.com/${GENERIC}@v2.1.0` }, "verified"],
    ["generic", { ...SOURCE, builderId: `https://github.com/${GENERIC}@refs/tags/v2.1.0` }, "verified"],
    ["generic", { ...SOURCE, builderId: `https://github.com/${GENERIC}@v2.1.1` }, FAILS],
    ["generic", { ...SOURCE, builderId: `https://github.com/${GENERIC}@refs/heads/main` }, "usage"],
    [
      "generic",
      { ...SOURCE, builderId: `https://github.com/${GENERIC.replace("generic_", "container_")}` },
      FAILS,
    ],
    ["reusable", { ...SOURCE, builderId: `https://github.com/${BUILDER}` }, "verified"],
    ["reusable", { ...SOURCE, builderId: `https://github.com/${BUILDER}@v1.2.3` }, "verified"],
    ["reusable", { sourceUri: "github.com/acme/gadget", builderId: `https://github.com/${BUILDER}` }, FAILS],
    ["reusable", { ...SOURCE, builderId: `https://github.com/${BUILDER.replace("acme", "mallory")}` }, FAILS],
    ["reusable", { builderId: `https://github.com/${BUILDER}` }, "usage"],
    ["candidate", { ...SOURCE, builderId: `https://github.com/${BUILDER}` }, FAILS],
    ["branch", { ...SOURCE, builderId: `https://github.com/${BUILDER}` }, FAILS],
    ["own", { ...SOURCE, builderId: `https://github.com/${WORKFLOW}` }, FAILS],
    ["own", { ...SOURCE, builderId: "https://example.com/builder" }, "usage"],
    ["npm", { ...SOURCE, builderId: `${RUNNER}/github-hosted` }, "verified"],
    ["npm", { ...SOURCE, builderId: RUNNER }, FAILS],
    ["npmFirst", { ...SOURCE, builderId: `${RUNNER}/github-hosted` }, "verified"],
    ["npmFirst", { ...SOURCE, builderId: RUNNER }, "verified"],
    ["npmFirst", { ...SOURCE, builderId: `${RUNNER}/self-hosted` }, "usage"],
    ["lying", { sourceUri: "github.com/acme/gadget", builderId: `${RUNNER}/github-hosted` }, FAILS],
    // Who signed and who built are two questions, and both are asked.
    ["own", { ...SOURCE, repo: "acme/widget", builderId: `https://github.com/${GENERIC}` }, FAILS],
  ],
  "--source-tag, --source-versioned-tag and --source-branch": [
    ["generic", { ...SOURCE, sourceTag: "v1.4.0" }, "verified"],
    ["generic", { ...SOURCE, sourceTag: "v1.4" }, FAILS],
    ["generic", { ...SOURCE, sourceTag: "v*" }, FAILS],
    ["generic", { ...SOURCE, sourceVersionedTag: "v1.4" }, "verified"],
    ["generic", { ...SOURCE, sourceVersionedTag: "v1.3" }, FAILS],
    ["generic", { ...SOURCE, sourceVersionedTag: "1.4" }, "usage"],
    ["generic", { ...SOURCE, sourceVersionedTag: "v1", sourceTag: "v1.4.0" }, "usage"],
    ["generic", { ...SOURCE, sourceBranch: "release" }, "verified"],
    ["generic", { ...SOURCE, sourceBranch: "main" }, FAILS],
    ["generic", { ...SOURCE, sourceBranch: '" || true || "' }, FAILS],
    ["dispatched", { ...SOURCE, sourceBranch: "main" }, "verified"],
    ["dispatched", { ...SOURCE, sourceTag: "main" }, FAILS],
    ["dispatched", { sourceBranch: "main" }, "usage"],
  ],
  "--build-workflow-input": [
    ["dispatched", { ...SOURCE, buildWorkflowInput: ["channel=beta"] }, "verified"],
    ["dispatched", { ...SOURCE, buildWorkflowInput: ["channel=stable"] }, FAILS],
    ["dispatched", { ...SOURCE, buildWorkflowInput: ["channel=beta", "other=1"] }, FAILS],
    ["dispatched", { ...SOURCE, buildWorkflowInput: ["channel"] }, "usage"],
    ["generic", { ...SOURCE, buildWorkflowInput: ["channel=beta"] }, FAILS],
  ],
  "--package-name and --package-version": [
    ["generic", { ...SOURCE, packageName: "widget" }, FAILS],
    ["generic", { ...SOURCE, packageVersion: "1.4.0" }, FAILS],
    ["generic", { packageName: "widget" }, "usage"],
  ],
};

for (const [option, cases] of Object.entries(CASES)) {
  describe(option, () => {
    for (const [run, asked, expected] of cases) {
      test(`${run} ${JSON.stringify(asked)}: ${expected}`, async () => {
        assert.equal(await outcome(run, asked), expected);
      });
    }
  });
}
