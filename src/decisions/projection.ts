import type { ChainKey, ProjectId } from "../custody/events.ts";
import { PROJECT_CHAIN } from "../custody/events.ts";
import type { ChainRef, Verdict } from "../custody/log-store.ts";
import { VouchsafeError } from "../errors.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { InForce, Quarantine } from "./decide.ts";

/** Everything that `decide` needs of one artifact, as of one log size. */
export interface ArtifactState {
  readonly verdicts: readonly Verdict[];
  readonly quarantines: readonly Quarantine[];
  /** Whether any attestation is about the artifact; without one there is nothing to evaluate. */
  readonly hasEvidence: boolean;
}

/** What the projection reads. Each answer is of one snapshot of the log and says of which size. */
export interface ProjectionSource {
  artifactState(project: ProjectId, artifact: Digest): Promise<{ size: number; state: ArtifactState }>;
  inForce(project: ProjectId): Promise<{ size: number; inForce: InForce }>;
  /** The chains that events `from <= index < size` joined, and the size then. At most a bounded page of them. */
  touchedSince(
    from: number,
  ): Promise<{ size: number; touched: readonly { project: ProjectId; key: ChainKey }[] }>;
}

/** An answer with the log size that it is as of. */
export interface AsOf<T> {
  readonly asOf: number;
  readonly value: T;
}

export interface Projection {
  artifact(project: ProjectId, artifact: Digest): Promise<AsOf<ArtifactState>>;
  inForce(project: ProjectId): Promise<AsOf<InForce>>;
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
  readonly size: number;
}

export interface ProjectionOptions {
  readonly source: ProjectionSource;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Artifacts kept in memory; the least recently asked leaves first. */
  readonly maxArtifacts: number;
  /** Log size to follow from: nothing is kept of what was before. */
  readonly from: number;
}

interface Kept<T> {
  readonly value: T;
}

/**
 * A node's view of the log for deciding. It keeps the state of the artifacts that are asked for, and drops what
 * a newer event touches, so what it keeps holds as of the size that it has followed to.
 *
 * A read that began before an event and ends after it must not be kept: it is kept only when it is of a size
 * that the projection has not passed since.
 */
export function createProjection({ source, clock, maxArtifacts, from }: ProjectionOptions): Projection {
  const artifacts = new Map<string, Kept<ArtifactState>>();
  const projects = new Map<ProjectId, Kept<InForce>>();
  let size = from;
  let followedAt = Number.NEGATIVE_INFINITY;
  let following: Promise<void> | undefined;
  let again = false;
  let waiting: { size: number; resolve: () => void }[] = [];

  async function read<K, T>(
    kept: Map<K, Kept<T>>,
    key: K,
    load: () => Promise<{ size: number; value: T }>,
  ): Promise<AsOf<T>> {
    const hit = kept.get(key);
    if (hit) {
      kept.delete(key);
      kept.set(key, hit);
      return { asOf: size, value: hit.value };
    }
    const loaded = await load();
    if (loaded.size >= size) {
      kept.set(key, { value: loaded.value });
      if (kept.size > maxArtifacts) kept.delete(kept.keys().next().value as K);
    }
    return { asOf: loaded.size, value: loaded.value };
  }

  function forget(touched: readonly ChainRef[]): void {
    for (const { project, key } of touched) {
      if (key === PROJECT_CHAIN) projects.delete(project);
      else artifacts.delete(artifactKey(project, key));
    }
  }

  function advance(to: number): void {
    size = Math.max(size, to);
    followedAt = clock();
    const reached = waiting.filter((waiter) => waiter.size <= size);
    waiting = waiting.filter((waiter) => waiter.size > size);
    for (const { resolve } of reached) resolve();
  }

  async function followOnce(): Promise<void> {
    for (;;) {
      const before = size;
      const page = await source.touchedSince(before);
      forget(page.touched);
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

  return {
    async artifact(project, artifact) {
      return read(artifacts, artifactKey(project, artifact), async () => {
        const { size, state } = await source.artifactState(project, artifact);
        return { size, value: state };
      });
    },
    async inForce(project) {
      return read(projects, project, async () => {
        const { size, inForce } = await source.inForce(project);
        return { size, value: inForce };
      });
    },
    async caughtUp(wanted, waitMs, signal) {
      if (wanted <= size) return;
      const reached = Promise.withResolvers<void>();
      const waiter = { size: wanted, resolve: reached.resolve };
      waiting.push(waiter);
      const giveUp = () => {
        waiting = waiting.filter((other) => other !== waiter);
        reached.reject(
          new VouchsafeError(
            "stale",
            `This node follows the log to size ${size}, not yet ${wanted}; ask again`,
          ),
        );
      };
      const timer = setTimeout(giveUp, waitMs);
      signal?.addEventListener("abort", giveUp);
      try {
        await Promise.race([reached.promise, follow().then(() => reached.promise)]);
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener("abort", giveUp);
      }
    },
    follow,
    committed(from, to, touched) {
      forget(touched);
      if (from <= size) advance(to);
      else void follow().catch(() => undefined);
    },
    staleness: () => clock() - followedAt,
    get size() {
      return size;
    },
  };
}

function artifactKey(project: ProjectId, artifact: ChainKey): string {
  return `${project} ${artifact}`;
}
