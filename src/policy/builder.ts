import type { Glob } from "./glob.ts";
import type { BuilderRule, Rule, SignerRule } from "./policy.ts";

/** A loaded document of kind Builder: a build platform that policies take by its name. Only `loadPolicySet` makes one. */
export interface Builder {
  readonly name: string;
  readonly description?: string;
  /** `sha256:…` of the canonical JSON of the document. */
  readonly hash: string;
  /** The file that it stands in. */
  readonly file: string;
  readonly spec: BuilderSpec;
}

export interface BuilderSpec {
  /** What it may call itself in provenance. Never empty. */
  readonly ids: readonly Glob[];
  /** The highest SLSA build level that it is trusted for, 1 to 4. */
  readonly level: number;
  /** Who may speak for it. Never empty. */
  readonly signers: readonly SignerRule[];
  /** Absent: builds of any type. */
  readonly buildTypes?: readonly Glob[];
  /** What must be true besides of what it says, e.g. that its id is the signer's. */
  readonly rules: readonly Rule[];
}

/** As a policy takes it that uses it. `loweredTo` is at most the builder's own level. */
export function ruleOf({ name, spec }: Pick<Builder, "name" | "spec">, loweredTo?: number): BuilderRule {
  return {
    use: name,
    ...spec,
    level: loweredTo ?? spec.level,
    ...(loweredTo !== undefined && { loweredTo }),
  };
}
