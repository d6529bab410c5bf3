import { groundsAllow } from "../../in-toto-attestation/index.ts";
import { alternatives } from "../evaluation/check-text.ts";
import { compileGlob, type Glob } from "../glob.ts";
import { canMatchBoth, covers, overlap } from "../glob-relations.ts";
import type { LintFinding } from "../lint.ts";
import type { ParameterRules, PolicySpec, SignerRule } from "../policy.ts";
import { approvalFindings } from "./approvals.ts";
import { sourceFindings, VERSION_TAGS } from "./source.ts";
import { typeFindings } from "./types.ts";

/** What no evidence can pass, because two demands exclude each other. */
export function reachFindings(spec: PolicySpec): LintFinding[] {
  return [
    ...weakDigests(spec),
    ...typeFindings(spec),
    ...unheardBuilders(spec),
    ...strayRefs(spec),
    ...strayParameters(spec),
    ...sourceFindings(spec),
    ...approvalFindings(spec),
  ];
}

function weakDigests({ artifacts: { digests = [] } }: PolicySpec): LintFinding[] {
  return digests.flatMap((digest, index) =>
    groundsAllow(digest)
      ? []
      : [
          {
            level: "error",
            rule: "never-passes",
            path: ["spec", "artifacts", "digests", index],
            message: "artifacts are named by sha256, sha384 or sha512: this digest never passes",
          },
        ],
  );
}

/**
 * A builder counts where one of its own signers signed, who must be one of the policy's too, and of a type that both
 * take.
 */
function unheardBuilders({ builders = [], signers, buildTypes }: PolicySpec): LintFinding[] {
  const unheard = builders.flatMap((builder, index): Pick<LintFinding, "path" | "message">[] => {
    const path = ["spec", "builders", index, builder.use === undefined ? "signers" : "use"];
    if (builder.signers?.every((own) => !signers.some((one) => canBeOne(own, one)))) {
      const who = builder.use === undefined ? "these" : "its signers";
      const message = `none of ${who} can sign what the policy's \`signers\` take: this builder is never believed`;
      return [{ path, message }];
    }
    if (builder.buildTypes && buildTypes && !overlap(builder.buildTypes, buildTypes)) {
      return [
        {
          path,
          message: "none of its builds is of the policy's `buildTypes`: this builder is never believed",
        },
      ];
    }
    return [];
  });
  const level = unheard.length === builders.length ? "error" : "warning";
  return unheard.map((one) => ({ level, rule: "never-passes", ...one }));
}

/** Whether one signature could fulfil both. */
function canBeOne(a: SignerRule, b: SignerRule): boolean {
  if (a.case === "key" || b.case === "key") return a.case === "key" && b.case === "key" && a.name === b.name;
  if (a.instance !== undefined && b.instance !== undefined && a.instance !== b.instance) return false;
  return canMatchBoth(a.issuer, b.issuer) && canMatchBoth(a.identity, b.identity);
}

/**
 * A workflow's identity ends in `@` and the ref that it is at, which is the source's where it runs by itself. Where
 * another workflow calls it, as those of other repositories do, it stands at a ref of its own.
 */
function strayRefs({
  signers,
  source: { repositories, refs, versionedTags } = {},
  externalParameters,
}: PolicySpec): LintFinding[] {
  const taken = refs ?? (versionedTags && [VERSION_TAGS]);
  const section = refs === undefined ? "versionedTags" : "refs";
  if (taken === undefined) return [];
  return signers.flatMap((signer, index): LintFinding[] => {
    const workflow = signer.case === "certificate" ? workflowOf(signer.identity) : undefined;
    if (workflow === undefined || overlap(taken, [workflow.ref])) return [];
    if (!repositories?.every((repository) => covers(workflow.repository, repository))) return [];
    const isItself = pathOf(externalParameters) === workflow.path;
    const called = isItself ? "" : ", unless a workflow of its own repository calls it at another ref";
    return [
      {
        level: isItself && signers.length === 1 ? "error" : "warning",
        rule: "never-passes",
        path: ["spec", "signers", index, "identity"],
        message: `it runs at ${workflow.ref.text}, which \`source.${section}\` excludes: it never passes${called}`,
      },
    ];
  });
}

/** The workflow that the parameters say was started. */
function pathOf(rules: ParameterRules | undefined): string | undefined {
  const workflow = rules?.require.get("workflow");
  const path = workflow?.case === "members" ? workflow.members.get("path") : undefined;
  return path?.case === "text" ? path.glob.text : undefined;
}

function workflowOf({ text }: Glob): { repository: Glob; path: string; ref: Glob } | undefined {
  const [, repository, path, ref] =
    /^(https:\/\/[^*]+?)\/(\.github\/workflows\/[^@]+)@(refs\/.+)$/.exec(text) ?? [];
  if (repository === undefined || path === undefined || ref === undefined) return undefined;
  return { repository: compileGlob(repository), path, ref: compileGlob(ref) };
}

/**
 * A parameter `workflow` that holds a repository and a ref is where provenance has its source (GitHub's build types), so
 * that it must be as both sections want it.
 */
function strayParameters({ source = {}, externalParameters }: PolicySpec): LintFinding[] {
  const workflow = externalParameters?.require.get("workflow");
  if (workflow?.case !== "members" || !["repository", "ref"].every((name) => workflow.members.has(name)))
    return [];
  const sections = [
    ["repository", "repositories", source.repositories],
    ["ref", "refs", source.refs],
    ["ref", "versionedTags", source.versionedTags && [VERSION_TAGS]],
  ] as const;
  return sections.flatMap(([name, section, taken]): LintFinding[] => {
    const wanted = workflow.members.get(name);
    if (wanted?.case !== "text" || taken === undefined) return [];
    // The source's repository is told without it.
    const asSource = compileGlob(wanted.glob.text.replace(/^git\+(?=.)/, ""));
    if (overlap(taken, [asSource])) return [];
    return [
      {
        level: "error",
        rule: "never-passes",
        path: ["spec", "externalParameters", "require", "workflow", name],
        message: `it must be this, and \`source.${section}\` takes only ${alternatives(taken)}: it never passes`,
      },
    ];
  });
}
