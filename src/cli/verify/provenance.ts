import type { PolicyFile } from "../../policy/load.ts";
import { versionedTag } from "../../policy/versioned-tag.ts";
import { UsageError } from "../usage-error.ts";
import { buildersFor, LITERAL_REPOSITORY, type ProvenanceBuilders } from "./builders.ts";

/** What slsa-verifier's options ask of SLSA provenance. */
export interface ProvenanceOptions {
  readonly sourceUri?: string;
  readonly sourceBranch?: string;
  readonly sourceTag?: string;
  readonly sourceVersionedTag?: string;
  readonly builderId?: string;
  /** KEY=VALUE, of a workflow that was dispatched. */
  readonly buildWorkflowInput?: readonly string[];
  /** What npm's registry calls the artifact. */
  readonly packageName?: string;
  readonly packageVersion?: string;
}

/** The name that the policy goes by in what is told. */
export const PROVENANCE_POLICY = "command-line";

/**
 * The policy that slsa-verifier's options mean (slsa-framework/slsa-verifier, cli/slsa-verifier/verify/options.go and
 * verifiers/internal/gha): it is judged by as any other, with the builders that are shipped. Undefined without them.
 *
 * @param isSignerNamed whether other options say who may have signed: then `--builder-id` alone asks for a builder
 * @param keys names of the keys that may have signed
 */
export function provenancePolicy(
  options: ProvenanceOptions,
  isSignerNamed: boolean,
  keys: readonly string[],
): PolicyFile | undefined {
  const { sourceUri, builderId } = options;
  if (sourceUri === undefined) {
    const given = Object.entries(FLAGS).find(
      ([name]) => options[name as keyof ProvenanceOptions] !== undefined,
    );
    if (given === undefined) return undefined;
    throw new UsageError(
      `${given[1]} is about a source: name its repository by --source-uri github.com/OWNER/REPO`,
    );
  }
  const repository = repositoryOf(sourceUri);
  const asked =
    isSignerNamed && builderId === undefined
      ? { signers: anybody(keys), rules: [] }
      : buildersFor(builderId, repository);
  return { name: `${PROVENANCE_POLICY}.yaml`, text: JSON.stringify(document(asked, repository, options)) };
}

const FLAGS: Readonly<Record<Exclude<keyof ProvenanceOptions, "sourceUri">, string>> = {
  sourceBranch: "--source-branch",
  sourceTag: "--source-tag",
  sourceVersionedTag: "--source-versioned-tag",
  builderId: "--builder-id",
  buildWorkflowInput: "--build-workflow-input",
  packageName: "--package-name",
  packageVersion: "--package-version",
};

/** JSON is YAML. */
function document(
  { signers, builders, rules }: ProvenanceBuilders,
  repository: string,
  options: ProvenanceOptions,
) {
  const all = [...rules, ...branchRules(options), ...inputRules(options)];
  return {
    apiVersion: "vouchsafe.dev/v1",
    kind: "VerificationPolicy",
    metadata: { name: PROVENANCE_POLICY },
    spec: {
      artifacts: { names: [nameOf(options)] },
      signers,
      ...(builders && { builders }),
      // What a build was started with is asked by --build-workflow-input alone.
      externalParameters: { ignore: ["**"] },
      source: { repositories: [repository], ...revision(options) },
      ...(all.length > 0 && { rules: all }),
    },
  };
}

/** The package URL that npm's provenance gives its subject; without a name or version, whatever it is called. */
function nameOf({ packageName, packageVersion }: ProvenanceOptions): string {
  if (packageName === undefined && packageVersion === undefined) return "**";
  const name = packageName === undefined ? "**" : literally(packageName.replace(/^@/, "%40"));
  return `pkg:npm/${name}@${packageVersion === undefined ? "*" : literally(packageVersion)}`;
}

function anybody(keys: readonly string[]): ProvenanceBuilders["signers"] {
  return [{ issuer: "**", identity: "**" }, ...keys.map((key) => ({ key }))];
}

function repositoryOf(written: string): string {
  const location = written.replace(/^git\+/, "");
  const uri = location.includes("://") ? location : `https://${location}`;
  if (LITERAL_REPOSITORY.test(uri)) return uri;
  throw new UsageError(
    `--source-uri takes a repository, such as github.com/acme/widget, and not ${written}; its tag or branch goes into ` +
      "--source-tag or --source-branch",
  );
}

function revision({ sourceTag, sourceVersionedTag }: ProvenanceOptions) {
  if (sourceTag !== undefined && sourceVersionedTag !== undefined) {
    throw new UsageError("Give --source-tag or --source-versioned-tag, and not both");
  }
  if (sourceVersionedTag !== undefined) {
    if (versionedTag(sourceVersionedTag) === undefined) {
      throw new UsageError(`--source-versioned-tag takes v1, v1.2 or v1.2.3, and not ${sourceVersionedTag}`);
    }
    return { versionedTags: [sourceVersionedTag] };
  }
  return sourceTag === undefined ? {} : { refs: [`refs/tags/${literally(sourceTag)}`] };
}

/** Where the event that started the build stands in provenance of each version, and in either spelling. */
const ENVIRONMENTS = [
  ["provenance.internalParameters.environment", (name: string) => name],
  ["provenance.internalParameters.environment", (name: string) => name.toUpperCase()],
  ["provenance.internalParameters", (name: string) => name.toUpperCase()],
] as const;

/** Any of these; what the provenance does not say has no answer, and makes none of the others wrong. */
function inAnyEnvironment(write: (name: (name: string) => string) => string): string {
  return ENVIRONMENTS.map(
    ([environment, spell]) => `(${write((name) => `${environment}.${spell(name)}`)})`,
  ).join(" || ");
}

/** A build of a tag is one of the branch that the tag was pushed from, or its release made of, if the event says which. */
function branchRules({ sourceBranch }: ProvenanceOptions) {
  if (sourceBranch === undefined) return [];
  const [ref, name] = [JSON.stringify(`refs/heads/${sourceBranch}`), JSON.stringify(sourceBranch)];
  const ofTag = inAnyEnvironment(
    (at) =>
      `${at("github_event_name")} == "push" && ${at("github_event_payload")}.base_ref == ${ref} || ` +
      `${at("github_event_name")} == "release" && ${at("github_event_payload")}.release.target_commitish == ${name}`,
  );
  return [
    {
      name: "source-branch",
      cel: `source.ref == ${ref} || source.ref.startsWith("refs/tags/") && (${ofTag})`,
      message: `built from the branch ${sourceBranch}`,
    },
  ];
}

function inputRules({ buildWorkflowInput = [] }: ProvenanceOptions) {
  return buildWorkflowInput.map((written, i) => {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(written) ?? [];
    if (key === undefined || value === undefined) {
      throw new UsageError(`--build-workflow-input takes KEY=VALUE, and not ${written}`);
    }
    const given = inAnyEnvironment(
      (at) =>
        `${at("github_event_name")} == "workflow_dispatch" && ` +
        `${at("github_event_payload")}.inputs[${JSON.stringify(key)}] == ${JSON.stringify(value)}`,
    );
    return { name: `build-workflow-input-${i + 1}`, cel: given, message: `dispatched with ${key}=${value}` };
  });
}

function literally(text: string): string {
  return text.replace(/[\\*?[\]{}^$]/g, "\\$&");
}
