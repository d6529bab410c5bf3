import type { Digest } from "../in-toto-attestation/types.ts";
import type { WorkloadPolicy, WorkloadSpec } from "./workload-policy.ts";

/**
 * What runs, by component: `executable`, `image`, and the names that workload policies give to files. Those of files
 * stand under `POLICY/NAME`, for two policies may mean different files by one name. No list is empty.
 */
export type Components = ReadonlyMap<string, readonly Digest[]>;

/** What a workload policy asks of one component. */
export interface ComponentDemand {
  /** Names of the VerificationPolicies that each of its digests must pass. Never empty. */
  readonly policies: readonly string[];
  /** The files that it is, as `parseFilePattern` reads them; absent where attestors know it by its name. */
  readonly files?: readonly string[];
}

/** Why a component was not attested, where its attestor says more than that it was not: codes of denials. */
export const ABSENCES = [
  "interpreter",
  "image-unknown",
  "file-missing",
  "file-not-regular",
  "file-not-local",
  "file-unreadable",
  "file-changed",
  "files-too-many",
  "files-too-large",
] as const;
export type Absence = (typeof ABSENCES)[number];

/** The component that `spec.policies` is short for. */
export const EXECUTABLE = "executable";
/** What attestors know by name: no files go by these. */
export const ATTESTED: readonly string[] = [EXECUTABLE, "image"];

/**
 * The components that the workload policy asks for, in its order and by its names, as far as they were attested. What
 * it does not ask for is not judged.
 */
export function demandedOf(
  { name, spec }: Pick<WorkloadPolicy, "name" | "spec">,
  attested: Components,
): Components {
  return new Map(
    [...spec.components.keys()].flatMap((component) => {
      const digests = attestedAs(name, component, attested);
      return digests === undefined ? [] : [[component, digests]];
    }),
  );
}

/** What was attested (or said) of a component of this workload policy. */
export function attestedAs<T>(
  policy: string,
  component: string,
  attested: ReadonlyMap<string, T>,
): T | undefined {
  return attested.get(`${policy}/${component}`) ?? attested.get(component);
}

/** The digests of all components, without repeats. */
export function digestsOf(components: Components): Digest[] {
  return [...new Set([...components.values()].flat())];
}

/** Names of all policies that the workload policy asks for, in its order, without repeats. */
export function policiesOf({ components }: Pick<WorkloadSpec, "components">): string[] {
  return [...new Set([...components.values()].flatMap(({ policies }) => policies))];
}

/** Names of the policies that the digest must pass, for it is in a component that asks for them. */
export function policiesFor(
  spec: Pick<WorkloadSpec, "components">,
  demanded: Components,
  digest: Digest,
): string[] {
  const asked = new Map([...spec.components].filter(([name]) => demanded.get(name)?.includes(digest)));
  return policiesOf({ components: asked });
}
