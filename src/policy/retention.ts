/** A loaded document of kind RetentionPolicy: how long the bytes of evidence are kept. Only `loadPolicySet` makes one. */
export interface RetentionPolicy {
  readonly name: string;
  readonly description?: string;
  /** `sha256:…` of the canonical JSON of the document. */
  readonly hash: string;
  /** The file that it stands in. */
  readonly file: string;
  readonly spec: RetentionSpec;
}

export interface RetentionSpec {
  /** The class of artifacts that nobody assigned one to; absent: what is about them is kept for ever. */
  readonly default?: string;
  /** Classes by name: milliseconds, or Infinity. Never empty. */
  readonly classes: ReadonlyMap<string, number>;
}

/** An artifact on whose account evidence is kept: one that it is about, or one whose verdicts rest on such an artifact. */
export interface Use {
  /** The retention class that was assigned to it, if any. */
  readonly assigned?: string;
  /** From when on its class counts, in milliseconds since the epoch. */
  readonly since: number;
  /** Whether a legal hold on it stands. */
  readonly isHeld: boolean;
  /** Whether an identity that was granted to it has not expired. */
  readonly isLive: boolean;
}

/**
 * What keeps evidence: `held` a hold, `kept` its class until a time (Infinity: for ever), `live` an identity that still
 * rests on it. `due`: nothing; `class` is the last that ran out, and `until` when it did.
 */
export type Keeping =
  | { readonly case: "held" }
  | { readonly case: "kept" | "live"; readonly until: number }
  | { readonly case: "due"; readonly until: number; readonly class: string };

/** How long an artifact's class keeps what is about it, in milliseconds: for ever where no policy knows the class. */
export function keepOf(spec: RetentionSpec | undefined, assigned: string | undefined): number {
  return spec?.classes.get(assigned ?? spec.default ?? "") ?? Number.POSITIVE_INFINITY;
}

/** The shortest time for which any class keeps evidence: nothing younger can be due. */
export function shortestKeep({ classes }: RetentionSpec): number {
  return Math.min(...classes.values());
}

/**
 * What keeps evidence at `now`: each artifact on whose account it is kept must let go of it. Whatever is not known keeps
 * it: no policy, no default, a class that is no longer defined, no use at all.
 *
 * @param uses of evidence: each artifact that it is about, and each whose verdicts rest on one of those
 */
export function keepingOf(spec: RetentionSpec | undefined, uses: readonly Use[], now: number): Keeping {
  if (uses.some(({ isHeld }) => isHeld)) return { case: "held" };
  let last = { until: Number.NEGATIVE_INFINITY, class: "" };
  for (const { assigned, since } of uses) {
    const until = since + keepOf(spec, assigned);
    if (until > last.until) last = { until, class: assigned ?? spec?.default ?? "" };
  }
  const { until } = last;
  if (uses.length === 0 || !(until <= now)) return { case: "kept", until: Math.max(until, now) };
  if (uses.some(({ isLive }) => isLive)) return { case: "live", until };
  return { case: "due", ...last };
}
