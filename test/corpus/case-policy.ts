import { stringify } from "yaml";
import { VouchsafeError } from "../../src/errors.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { VerificationPolicy } from "../../src/policy/policy.ts";
import type { CasePolicy } from "./manifest.ts";

const GENERATOR = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows";
/** What npm's client called the runners that GitHub hosts until its provenance was SLSA v1. */
const RUNNER = "https://github.com/actions/runner";

const END_TO_END_TESTS = "github.com/slsa-framework/example-package";

/**
 * A case's demands as a policy document, loaded as an operator's would be. Undefined when the case demands
 * nothing of signer or provenance. What slsa-verifier knows by heart (who may speak for a builder) is written
 * out here, because a policy has to say it.
 */
export function policyOf(policy: CasePolicy | undefined): VerificationPolicy | undefined {
  if (policy?.issuer === undefined) return undefined;
  const text = stringify({
    apiVersion: "vouchsafe.dev/v1",
    kind: "VerificationPolicy",
    metadata: { name: "case" },
    spec: {
      artifacts: { names: [namesOf(policy)] },
      signers: signersOf(policy, policy.issuer),
      ...(policy.predicateType === undefined ? {} : { predicateTypes: [literally(policy.predicateType)] }),
      ...buildersOf(policy),
      ...sourceOf(policy),
      ...rulesOf(policy),
    },
  });
  return loadPolicySet([{ name: "case.yaml", text }]).policies.get("case");
}

/** Whether the case asks who signed and nothing of what was signed. */
export function asksOnlyWho(policy: CasePolicy | undefined): boolean {
  return Object.keys(policy ?? {}).every((member) => ["issuer", "san", "sanRegex"].includes(member));
}

function signersOf(policy: CasePolicy, issuer: string): { issuer: string; identity: string }[] {
  return identitiesOf(policy).map((identity) => ({ issuer: literally(issuer), identity }));
}

function identitiesOf({ san, sanRegex, builderId, sourceUri, packageName }: CasePolicy): string[] {
  if (san !== undefined) return [literally(san)];
  if (sanRegex !== undefined) return [globOfRegex(sanRegex)];
  if (builderId !== undefined) return speakersOf(builderId, sourceUri);
  // Demands on provenance without a word on who may make it: slsa-verifier trusts no builder then, nor do we.
  return sourceUri === undefined && packageName === undefined ? ["**"] : [];
}

/** Whose signature makes a builder id believable. */
function speakersOf(builderId: string, sourceUri: string | undefined): string[] {
  // npm's own client runs in a workflow of the project that it publishes.
  if (!isWorkflow(builderId)) return [`${literally(repositoryOf(sourceUri ?? ""))}/.github/workflows/**`];
  // A reusable workflow signs for itself; builders made with the generator's framework, through its delegators.
  const delegators = ["delegator_generic_slsa3.yml", "delegator_lowperms-generic_slsa3.yml"];
  const workflows = [builderId, ...delegators.map((workflow) => `${GENERATOR}/${workflow}`)];
  return workflows.flatMap((workflow) => releasesOf(workflow, sourceUri));
}

function buildersOf({ builderId, sourceUri }: CasePolicy) {
  if (builderId === undefined) return {};
  const ids = idsOf(builderId, sourceUri);
  return { builders: ids.map((id) => ({ id, level: 3 })), externalParameters: { ignore: ["**"] } };
}

/** What it may call itself in provenance. */
function idsOf(builderId: string, sourceUri: string | undefined): string[] {
  if (isWorkflow(builderId)) return releasesOf(builderId, sourceUri);
  return (builderId === `${RUNNER}/github-hosted` ? [builderId, RUNNER] : [builderId]).map(literally);
}

function isWorkflow(builderId: string): boolean {
  return builderId.includes("/.github/workflows/");
}

/** A builder counts at its releases; at its main branch only when it builds the generator's end-to-end tests. */
function releasesOf(workflow: string, sourceUri: string | undefined): string[] {
  const refs = sourceUri === END_TO_END_TESTS ? ["refs/tags/v*", "refs/heads/main"] : ["refs/tags/v*"];
  return refs.map((ref) => `${literally(workflow)}@${ref}`);
}

function sourceOf({ sourceUri, sourceTag, sourceVersionedTag }: CasePolicy) {
  const source = {
    ...(sourceUri === undefined ? {} : { repositories: [literally(repositoryOf(sourceUri))] }),
    ...(sourceTag === undefined ? {} : { refs: [`refs/tags/${literally(sourceTag)}`] }),
    ...(sourceVersionedTag === undefined ? {} : { versionedTags: [sourceVersionedTag] }),
  };
  return Object.keys(source).length === 0 ? {} : { source };
}

function repositoryOf(sourceUri: string): string {
  return sourceUri.startsWith("https://") ? sourceUri : `https://${sourceUri}`;
}

/** The package URL that npm gives its subjects. */
function namesOf({ packageName, packageVersion }: CasePolicy): string {
  if (packageName === undefined && packageVersion === undefined) return "**";
  const name = packageName === undefined ? "**" : literally(packageName.replace(/^@/, "%40"));
  return `pkg:npm/${name}@${packageVersion === undefined ? "*" : literally(packageVersion)}`;
}

function rulesOf({ sourceRepositoryOwner, sourceBranch }: CasePolicy) {
  const rules = [
    ...(sourceRepositoryOwner === undefined ? [] : [ownerRule(sourceRepositoryOwner)]),
    ...(sourceBranch === undefined ? [] : [branchRule(sourceBranch)]),
  ];
  return rules.length === 0 ? {} : { rules };
}

function ownerRule(sourceRepositoryOwner: string) {
  const owner = JSON.stringify(`https://github.com/${sourceRepositoryOwner}`);
  return { name: "owner", cel: `signer.claims.sourceRepositoryOwnerUri == ${owner}` };
}

/** A build of a tag is one of the branch that the tag was pushed from, if GitHub's event says which. */
function branchRule(branch: string) {
  const ref = JSON.stringify(`refs/heads/${branch}`);
  const base = "predicate.invocation.environment.github_event_payload.base_ref";
  return {
    name: "branch",
    cel: `source.ref == ${ref} || source.ref.startsWith("refs/tags/") && ${base} == ${ref}`,
  };
}

/** The cases' expressions are literal text and `.*`, open at both ends unless `^` and `$` say otherwise. */
function globOfRegex(expression: string): string {
  const [begin, end] = [expression.startsWith("^"), expression.endsWith("$")];
  const runs = expression.slice(begin ? 1 : 0, end ? -1 : undefined).split(".*");
  const literals = runs.map((run) => run.replaceAll("\\.", "."));
  if (literals.some((literal) => /[\\*+?()[\]{}|^$]/.test(literal))) {
    throw new VouchsafeError("invalid-policy", `no policy says what ${expression} says`);
  }
  return `${begin ? "" : "**"}${literals.map(literally).join("**")}${end ? "" : "**"}`;
}

function literally(text: string): string {
  return text.replace(/[\\*?[\]{}^$]/g, "\\$&");
}
