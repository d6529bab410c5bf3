import type { Check, DecisionReason, PolicyDocument, Problem } from "./types.ts";

/** What the API answers about a simulation of policies; spelt as in `types.ts`. */

export interface SimulationRequest {
  readonly documents: readonly PolicyDocument[];
  /** A log size, or a time (RFC 3339, UTC); absent: now. */
  readonly asOf?: number | string;
}

/** A line of the answer. The last one is the result, or the problem that came up on the way. */
export type SimulationLine =
  | SimulationProgress
  | { readonly case: "result"; readonly result: Simulation }
  | { readonly case: "problem"; readonly problem: Problem };

/** How far it is: artifacts by their attestations first, then running workloads. */
export type SimulationProgress =
  | { readonly case: "progress"; readonly attestations: number; readonly of: number }
  | { readonly case: "workloads"; readonly judged: number };

export interface Simulation {
  /** What it is about: the log as it was then. */
  readonly asOf: { readonly size: number; readonly time: string };
  readonly policySet: string;
  /** The policy set that it would replace. */
  readonly active: string | null;
  readonly artifacts: number;
  readonly policies: readonly SimulatedPolicy[];
  readonly access: readonly SimulatedAccess[];
  readonly workloads: {
    readonly running: number;
    readonly denied: number;
    /** Of those denied, how many the active policies deny as well. */
    readonly deniedAlready: number;
    readonly workloads: readonly DeniedWorkload[];
  };
}

export interface SimulatedPolicy {
  readonly name: string;
  readonly change: "added" | "removed" | "changed" | "unchanged";
  readonly passedBefore: number;
  readonly passedAfter: number;
  /** Artifacts that passed and would not. */
  readonly denied: Flips;
  /** Artifacts that did not pass and would. */
  readonly allowed: Flips;
}

/** An AccessPolicy, and its rules that differ. */
export interface SimulatedAccess {
  readonly name: string;
  readonly change: SimulatedPolicy["change"];
  /** Whose callers it takes, before its rules ask; null where there is no such policy. */
  readonly callers: { readonly before: string | null; readonly after: string | null };
  readonly rules: readonly SimulatedAccessRule[];
}

export interface SimulatedAccessRule {
  readonly change: "added" | "removed" | "changed" | "moved";
  /** What a caller must be, each of them: one of the patterns. */
  readonly who: readonly { readonly of: string; readonly patterns: readonly string[] }[];
  readonly gives: { readonly before: RuleGives | null; readonly after: RuleGives | null };
}

export interface RuleGives {
  /** In its document, from 1. */
  readonly number: number;
  readonly roles: readonly string[];
  readonly policies: readonly string[];
  readonly mayChoosePolicy: boolean;
}

export interface Flips {
  readonly count: number;
  readonly first: readonly string[];
  /** The checks that decide it, of the very first. */
  readonly checks: readonly Check[];
}

export interface DeniedWorkload {
  readonly spiffeId: string;
  readonly workload: string;
  readonly requester: string;
  readonly digests: readonly string[];
  readonly reasons: readonly (Omit<DecisionReason, "checks"> & { readonly digest?: string })[];
  readonly active: "allow" | "deny";
}
