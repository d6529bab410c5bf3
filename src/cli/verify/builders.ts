import { UsageError } from "../usage-error.ts";
import { GITHUB_ISSUER } from "./signers.ts";

/** Sections of a policy: who may sign, who is believed to have built, and what must be true of that besides. */
export interface ProvenanceBuilders {
  readonly signers: readonly (
    | { readonly issuer: string; readonly identity: string }
    | { readonly key: string }
  )[];
  readonly builders?: readonly (
    | { readonly use: string }
    | { readonly id: string; readonly level: number; readonly signers: ProvenanceBuilders["signers"] }
  )[];
  readonly rules: readonly { readonly name: string; readonly cel: string; readonly message: string }[];
}

/** A repository's address of characters that patterns take plainly. */
export const LITERAL_REPOSITORY = /^https:\/\/[A-Za-z0-9.-]+(?::\d+)?(?:\/[A-Za-z0-9._~-]+)+$/;

const GENERATOR = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows";
/** As slsa-verifier asks of every builder: a release, vX.Y.Z, and no branch, no tag that moves. */
const RELEASES = "refs/tags/v*.*.*";

/** What the generator's workflows are called here (policies/builders/). */
const GENERATORS: ReadonlyMap<string, string> = new Map([
  ["generator_generic_slsa3.yml", "slsa-generator-generic"],
  ["generator_container_slsa3.yml", "slsa-generator-container"],
  ["builder_go_slsa3.yml", "slsa-builder-go"],
  ["builder_container-based_slsa3.yml", "slsa-builder-container-based"],
  ["builder_nodejs_slsa3.yml", "slsa-builder-delegated"],
  ["builder_maven_slsa3.yml", "slsa-builder-delegated"],
  ["builder_gradle_slsa3.yml", "slsa-builder-delegated"],
  ["builder_bazel_slsa3.yml", "slsa-builder-delegated"],
]);

const DELEGATORS = ["delegator_generic_slsa3.yml", "delegator_lowperms-generic_slsa3.yml"];

/**
 * Runners of GitHub's, by which npm's client names its builds: provenance of v0.2 knows the shorter name alone, and that
 * of v1 the longer. Who asks for the longer means either; the shorter is no name of newer provenance.
 */
const HOSTED_RUNNER = "https://github.com/actions/runner/github-hosted";
const RUNNER = "https://github.com/actions/runner";
const WORKFLOW =
  /^(https:\/\/github\.com\/[A-Za-z0-9._-]+\/[A-Za-z0-9._-]+\/\.github\/workflows\/[A-Za-z0-9._-]+)(?:@(.+))?$/;
const TAG = /^v\d+\.\d+\.\d+$/;

/**
 * Which builder may have built it, by slsa-verifier's rules (verifiers/internal/gha/builder.go): without an id the generator's
 * own; with one, the workflow of that name at a release, or at the one that is named.
 */
export function buildersFor(builderId: string | undefined, repository: string): ProvenanceBuilders {
  if (builderId === undefined) return generators([...new Set(GENERATORS.values())], [certified(repository)]);
  if (builderId === HOSTED_RUNNER || builderId === RUNNER) {
    return {
      signers: [github("https://github.com/*/*/.github/workflows/*@**")],
      builders: [{ use: "npm-github" }],
      rules: [certified(repository), ...(builderId === RUNNER ? [exactly(RUNNER)] : [])],
    };
  }
  const [, workflow, ref] = WORKFLOW.exec(builderId) ?? [];
  if (workflow === undefined) {
    throw new UsageError(
      `--builder-id takes a workflow on GitHub, such as ${GENERATOR}/generator_generic_slsa3.yml, or ` +
        `${HOSTED_RUNNER}, and not ${builderId}; for others write a policy (docs/builders.md)`,
    );
  }
  const asked = ref === undefined ? named(workflow) : exactly(`${workflow}@${releaseOf(ref)}`);
  const rules = [certified(repository), asked];
  const known = GENERATORS.get(workflow.slice(GENERATOR.length + 1));
  if (known !== undefined && workflow.startsWith(`${GENERATOR}/`)) return generators([known], rules);
  return {
    signers: [github(`${workflow}@${RELEASES}`), ...delegators()],
    builders: [
      { use: "github-actions-reusable" },
      { use: "github-actions" },
      // What was made with the generator's framework for builders is signed by its delegator.
      { id: `${workflow}@${RELEASES}`, level: 3, signers: delegators() },
    ],
    rules: [...rules, RELEASED, HOSTED],
  };
}

const RELEASED = {
  name: "released",
  cel: '[signer.identity, provenance.builderId].all(id, !id.substring(id.indexOf("@")).contains("-"))',
  message: "the builder, and who signs for it, is a release, and no candidate for one",
};

const HOSTED = {
  name: "hosted-runner",
  cel: '!has(signer.claims.runnerEnvironment) || signer.claims.runnerEnvironment == "github-hosted"',
  message: "not built on a runner of one's own",
};

/** Besides the provenance, which a workflow that signs for itself writes as it likes. */
function certified(repository: string) {
  const cel = `signer.claims.sourceRepositoryUri == ${JSON.stringify(repository)}`;
  return { name: "certified-source", cel, message: `the certificate is of a run of ${repository}` };
}

function generators(names: readonly string[], rules: ProvenanceBuilders["rules"]): ProvenanceBuilders {
  return { signers: [github(`${GENERATOR}/*@${RELEASES}`)], builders: names.map((use) => ({ use })), rules };
}

function delegators() {
  return DELEGATORS.map((file) => github(`${GENERATOR}/${file}@${RELEASES}`));
}

function github(identity: string) {
  return { issuer: GITHUB_ISSUER, identity };
}

function named(workflow: string) {
  const cel = `provenance.builderId.startsWith(${JSON.stringify(`${workflow}@`)})`;
  return { name: "builder-id", cel, message: `built by ${workflow}` };
}

function exactly(id: string) {
  const cel = `provenance.builderId == ${JSON.stringify(id)}`;
  return { name: "builder-id", cel, message: `built by ${id}` };
}

/** `v1.2.3` is the tag of that name, as in `refs/tags/v1.2.3`. */
function releaseOf(ref: string): string {
  const tag = ref.replace(/^refs\/tags\//, "");
  if (TAG.test(tag)) return `refs/tags/${tag}`;
  throw new UsageError(
    `A builder counts at its releases: --builder-id …@v1.2.3, or without @, and not @${ref}`,
  );
}
