import type { ChainKey, ProjectId } from "../custody/events.ts";
import { PROJECT_CHAIN } from "../custody/events.ts";
import type { ChainRef } from "../custody/log-store.ts";
import { VouchsafeError } from "../errors.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { Approval } from "../policy/approvals.ts";
import type { Exception } from "../policy/exceptions.ts";
import type { InForce, StandingVerdict } from "./decide.ts";
import { createDependents } from "./dependents.ts";
import { createMemory, type Kept } from "./memory.ts";
import type { MetQuarantine } from "./quarantined.ts";
import type { KeptAnswer } from "./written-answer.ts";

/** Everything that `decide` needs of one artifact, as of one log size. */
export interface ArtifactState {
  readonly verdicts: readonly StandingVerdict[];
  readonly quarantines: readonly MetQuarantine[];
  readonly approvals: readonly Approval[];
  readonly exceptions: readonly Exception[];
  /** Whether there is anything to evaluate. */
  readonly hasEvidence: boolean;
}

/** What the projection reads. Each answer is of one snapshot of the log and says of which size. */
export interface ProjectionSource {
  artifactState(project: ProjectId, artifact: Digest): Promise<{ size: number; state: ArtifactState }>;
  /** @returns `quarantinesAsOf`: the log size after the last event of a quarantine by rule, which older artifact states do not know */
  inForce(project: ProjectId): Promise<{ size: number; inForce: InForce; quarantinesAsOf: number }>;
  /** The chains that events `from <= index < size` joined, and the size then. At most a bounded page of them. */
  touchedSince(
    from: number,
  ): Promise<{ size: number; touched: readonly { project: ProjectId; key: ChainKey }[] }>;
}

/** An artifact in memory. */
export interface KnownArtifact {
  readonly state: ArtifactState;
  /** What was decided from this state: for `keptAnswer` and `keepAnswer`, which know for how long it holds. */
  answers: readonly KeptAnswer[];
}

/** What a decision about an artifact follows from, and the log size that it is as of. */
export interface View {
  readonly asOf: number;
  readonly artifact: KnownArtifact;
  readonly inForce: InForce;
}

export interface Projection {
  /**
   * What is known of an artifact and is in force in its project, where both are in memory. Each is the same object
   * until an event touches it.
   */
  recall(project: ProjectId, artifact: Digest): View | undefined;
  /** The same; what is not in memory is read. */
  look(project: ProjectId, artifact: Digest): View | Promise<View>;
  /** Has the next look read the artifact anew: for one who knows that another node changed it without an event. */
  forget(project: ProjectId, artifact: Digest): void;
  /**
   * Resolves when the node has followed the log to `size`; throws `stale` when it does not within `waitMs`, or
   * before the signal.
   */
  caughtUp(size: number, waitMs: number, signal?: AbortSignal): Promise<void>;
  /** Follows the log to its present end. Called by a notification, by this node's own commits and by the timer. */
  follow(): Promise<void>;
  /** Takes over a commit of this node, [from, to), without reading it back; reads when something is missing before it. */
  committed(from: number, to: number, touched: readonly ChainRef[]): void;
  /** Milliseconds since the log was last read with success. */
  staleness(): number;
  /** Artifacts in memory, and how many looks found what they asked for there, and how many did not. */
  readonly memory: { readonly artifacts: number; readonly hits: number; readonly misses: number };
  readonly size: number;
}

export interface ProjectionOptions {
  readonly source: ProjectionSource;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Artifacts kept in memory; those that nobody asked about again leave first. */
  readonly maxArtifacts: number;
  /** Log size to follow from: nothing is kept of what was before. */
  readonly from: number;
}

/**
 * With the log size that it was read at, as an event that names no artifact can touch it all the same; and the keys of
 * the artifacts that it follows from besides its own.
 */
type KeptArtifact = Kept & KnownArtifact & { readonly readAt: number; readonly restsOn: readonly string[] };
type KeptProject = Kept & { readonly inForce: InForce; readonly quarantinesAsOf: number };

/**
 * A node's view of the log for deciding. It keeps the state of the artifacts that are asked for, and drops what
 * a newer event touches, be it in a chain that a verdict rests on, so what it keeps holds as of the size that it has
 * followed to.
 */
export function createProjection({ source, clock, maxArtifacts, from }: ProjectionOptions): Projection {
  let size = from;
  const followedTo = () => size;
  const dependents = createDependents();
  const artifacts = createMemory<KeptArtifact>({
    most: maxArtifacts,
    followedTo,
    clock,
    onKept: (key, { restsOn }) => dependents.set(key, restsOn),
    onGone: (key) => dependents.delete(key),
  });
  const projects = createMemory<KeptProject>({ most: maxArtifacts, followedTo, clock });
  let followedAt = Number.NEGATIVE_INFINITY;
  let following: Promise<void> | undefined;
  let again = false;
  const waiting = new Set<{ size: number; resolve: () => void }>();
  let hits = 0;
  let misses = 0;

  async function readView(project: ProjectId, artifact: Digest): Promise<View> {
    const key = artifactKey(project, artifact);
    for (;;) {
      const [known, ofProject] = await Promise.all([
        artifacts.read(key, async () => {
          const { size, state } = await source.artifactState(project, artifact);
          const restsOn = state.verdicts.flatMap((verdict) => verdict.restsOn);
          const keys = restsOn.map((other) => artifactKey(project, other));
          return { size, value: { state, answers: [], readAt: size, asked: false, restsOn: keys } };
        }),
        projects.read(project, async () => {
          const { size, ...inForce } = await source.inForce(project);
          return { size, value: { ...inForce, asked: false } };
        }),
      ]);
      const asOf = Math.min(known.size, ofProject.size);
      if (knowsQuarantines(known.value, ofProject.value))
        return { asOf, artifact: known.value, inForce: ofProject.value.inForce };
      // What is read from here on is newer than the quarantine.
      artifacts.forget(key);
    }
  }

  function drop(touched: readonly ChainRef[]): void {
    for (const { project, key } of touched) {
      if (key === PROJECT_CHAIN) projects.forget(project);
      else {
        const moved = artifactKey(project, key);
        for (const above of [moved, ...dependents.of(moved)]) artifacts.forget(above);
      }
    }
  }

  function advance(to: number): void {
    size = Math.max(size, to);
    followedAt = clock();
    for (const waiter of waiting) if (waiter.size <= size) waiter.resolve();
  }

  async function followOnce(): Promise<void> {
    for (;;) {
      const before = size;
      const page = await source.touchedSince(before);
      // What this node committed meanwhile was taken over already, and what was read since is newer.
      if (page.size > size) drop(page.touched);
      advance(page.size);
      if (page.size <= before) return;
    }
  }

  /** One reader at a time: a call during a read asks for one more round and shares its end. */
  function follow(): Promise<void> {
    again = true;
    following ??= (async () => {
      try {
        while (again) {
          again = false;
          await followOnce();
        }
      } finally {
        following = undefined;
      }
    })();
    return following;
  }

  function recallView(project: ProjectId, artifact: Digest): View | undefined {
    const known = artifacts.recall(artifactKey(project, artifact));
    const ofProject = projects.recall(project);
    if (known === undefined || ofProject === undefined || !knowsQuarantines(known, ofProject))
      return undefined;
    hits += 1;
    return { asOf: size, artifact: known, inForce: ofProject.inForce };
  }

  return {
    recall: recallView,
    look(project, artifact) {
      const known = recallView(project, artifact);
      if (known !== undefined) return known;
      misses += 1;
      return readView(project, artifact);
    },
    forget(project, artifact) {
      artifacts.forget(artifactKey(project, artifact));
    },
    async caughtUp(wanted, waitMs, signal) {
      if (wanted <= size) return;
      const stale = () =>
        new VouchsafeError(
          "stale",
          `This node follows the log to size ${size}, not yet ${wanted}; ask again`,
        );
      // Of what was before, a signal says nothing more.
      if (signal?.aborted === true) throw stale();
      const reached = Promise.withResolvers<void>();
      const waiter = { size: wanted, resolve: reached.resolve };
      waiting.add(waiter);
      const giveUp = () => reached.reject(stale());
      const timer = setTimeout(giveUp, waitMs);
      signal?.addEventListener("abort", giveUp);
      try {
        await Promise.race([reached.promise, follow().then(() => reached.promise)]);
      } finally {
        waiting.delete(waiter);
        clearTimeout(timer);
        signal?.removeEventListener("abort", giveUp);
      }
    },
    follow,
    committed(from, to, touched) {
      drop(touched);
      if (from <= size) advance(to);
      else void follow().catch(() => undefined);
    },
    staleness: () => clock() - followedAt,
    get memory() {
      return { artifacts: artifacts.count, hits, misses };
    },
    get size() {
      return size;
    },
  };
}

function knowsQuarantines({ readAt }: KeptArtifact, { quarantinesAsOf }: KeptProject): boolean {
  return readAt >= quarantinesAsOf;
}

function artifactKey(project: ProjectId, artifact: ChainKey): string {
  return `${project} ${artifact}`;
}
