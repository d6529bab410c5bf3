import { compileGlob } from "../glob.ts";
import { overlap } from "../glob-relations.ts";
import type { LintFinding } from "../lint.ts";
import type { PolicySpec } from "../policy.ts";
import { PROVENANCE } from "./types.ts";

/** What any versioned tag is, and more. */
export const VERSION_TAGS = compileGlob("refs/tags/v*");

/** What policies ask of the source that nothing can answer, or that anybody's source answers. */
export function sourceFindings(spec: PolicySpec): LintFinding[] {
  return [
    ...untagged(spec),
    ...spec.evidence.flatMap(({ about, vsa }, index) => {
      const path = ["spec", "evidence", index, "about"];
      if (about !== "source") return [];
      if (namesNoCommit(spec)) return [never(path, "no attestation that passes says what commit was built")];
      return vsa === undefined && isAnybodys(spec) ? [anySource(path)] : [];
    }),
  ];
}

function untagged({ source: { refs, versionedTags } = {} }: PolicySpec): LintFinding[] {
  if (refs === undefined || versionedTags === undefined || overlap(refs, [VERSION_TAGS])) return [];
  return [never(["spec", "source", "refs"], "`versionedTags` asks for a tag, and none of these is one")];
}

/** Only provenance names a commit, and certificates do. */
function namesNoCommit({ predicateTypes, signers }: PolicySpec): boolean {
  const isProvenance = predicateTypes === undefined || overlap(predicateTypes, PROVENANCE);
  return !isProvenance && signers.every((signer) => signer.case === "key");
}

function isAnybodys({ source: { repositories, commits } = {} }: PolicySpec): boolean {
  return repositories === undefined && commits === undefined;
}

function never(path: LintFinding["path"], message: string): LintFinding {
  return { level: "error", rule: "never-passes", path, message: `${message}: it never passes` };
}

function anySource(path: LintFinding["path"]): LintFinding {
  const message = "`source.repositories` does not say whose source: that of any repository does";
  return { level: "warning", rule: "any-source", path, message };
}
