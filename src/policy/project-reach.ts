import { isOfProject, type ProjectName, pathOfProject } from "../identity/project-name.ts";
import { parseTrustDomain, spiffeId } from "../identity/spiffe-id.ts";
import { readYaml, startOf } from "../yaml/source.ts";
import { invalid, kindOf, memberOf, nameOf, type PolicySet } from "./load.ts";
import { spiffePath, type WorkloadPolicy } from "./workload-policy.ts";

const EXAMPLE_DOMAIN = parseTrustDomain("example.org");
/** Hex digits: which, changes no ID's project. */
const SOME_DIGEST = "0".repeat(64);

/**
 * Refuses a set whose workload policies give SPIFFE IDs that are not the project's: relying parties tell tenants apart by
 * them. A set is loaded without knowing its project, so this is asked where it is put in force.
 *
 * Throws `VouchsafeError` `invalid-policy` with a diagnostic for each.
 */
export function requireOfProject({ workloads, files }: PolicySet, project: ProjectName): void {
  const outside = [...workloads.values()].filter((workload) => !staysWithin(workload, project));
  if (outside.length === 0) return;
  const diagnostics = outside.flatMap(({ name, file }) => {
    const { source, documents } = readYaml(file, files.find((one) => one.name === file)?.text ?? "");
    const placed = documents.map((document) => ({ source, document }));
    const found = placed.find((one) => kindOf(one) === "WorkloadPolicy" && nameOf(one) === name);
    const place = found && memberOf(found.document, ["spec", "spiffeId"]);
    source.report(place === undefined ? 0 : startOf(place), complaint(project));
    return source.diagnostics;
  });
  throw invalid(diagnostics);
}

function staysWithin(workload: WorkloadPolicy, project: ProjectName): boolean {
  return isOfProject(spiffeId(EXAMPLE_DOMAIN, spiffePath(workload, SOME_DIGEST)), project);
}

function complaint(project: ProjectName): string {
  const path = pathOfProject(project);
  return path === ""
    ? "SPIFFE IDs under `/project` are those of other projects"
    : `the SPIFFE IDs of the project ${project} are all under \`${path}/\``;
}
