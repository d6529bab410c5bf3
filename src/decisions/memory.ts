/** Something read, and the log size that it is as of. */
export interface AsOf<T> {
  readonly size: number;
  readonly value: T;
}

/** What is kept in memory says itself whether it was asked for since it was kept, or since room was last sought. */
export interface Kept {
  asked: boolean;
}

/** What a node remembers of the log, by key. */
export interface Memory<T extends Kept> {
  recall(key: string): T | undefined;
  /** The same; what is not in memory is read, once for all who ask for it meanwhile, or soon after it began. */
  read(key: string, load: () => Promise<AsOf<T>>): Promise<AsOf<T>>;
  /** Whoever asks from now on has it read anew. */
  forget(key: string): void;
  readonly count: number;
}

export interface MemoryOptions<T> {
  /** Those that nobody asked about again leave first. */
  readonly most: number;
  /** The log size that the node has followed to. */
  readonly followedTo: () => number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  readonly onKept?: (key: string, value: T) => void;
  readonly onGone?: (key: string) => void;
}

/** For how long others join a read, in milliseconds: one that never ends must not have all wait who ask ever after. */
const JOINABLE = 5_000;

/** A read that has begun. */
interface Reading<T> {
  readonly answer: Promise<AsOf<T>>;
  readonly since: number;
}

/**
 * A read that began before an event and ends after it must not be kept: it is kept only when it is of a size that the
 * node has not passed since, and when nobody had it forgotten meanwhile. Nor does it answer who asked after the event.
 */
export function createMemory<T extends Kept>(options: MemoryOptions<T>): Memory<T> {
  const { most, followedTo, clock, onKept, onGone } = options;
  const kept = new Map<string, T>();
  const reading = new Map<string, Reading<T>>();

  function recall(key: string): T | undefined {
    const hit = kept.get(key);
    if (hit !== undefined) hit.asked = true;
    return hit;
  }

  /** One that may be joined. */
  function underWay(key: string): Promise<AsOf<T>> | undefined {
    const found = reading.get(key);
    return found !== undefined && clock() - found.since < JOINABLE ? found.answer : undefined;
  }

  function begin(key: string, load: () => Promise<AsOf<T>>): Promise<AsOf<T>> {
    const isWanted = () => reading.get(key)?.answer === answer;
    const answer = load()
      .then((loaded) => {
        if (isWanted() && loaded.size >= followedTo()) keep(key, loaded.value);
        return loaded;
      })
      .finally(() => {
        if (isWanted()) reading.delete(key);
      });
    reading.set(key, { answer, since: clock() });
    return answer;
  }

  function keep(key: string, value: T): void {
    kept.set(key, value);
    onKept?.(key, value);
    if (kept.size > most) makeRoom();
  }

  /**
   * Lets the oldest go that nobody asked for since its turn was last ("second chance"): near to the least recently
   * asked, while a hit writes one flag and moves nothing.
   */
  function makeRoom(): void {
    for (const [key, value] of kept) {
      kept.delete(key);
      if (!value.asked) {
        onGone?.(key);
        return;
      }
      value.asked = false;
      kept.set(key, value);
    }
  }

  return {
    recall,
    async read(key, load) {
      const value = recall(key);
      const size = followedTo();
      if (value !== undefined) return { size, value };
      const shared = underWay(key);
      if (shared !== undefined) {
        const joined = await shared;
        if (joined.size >= size) return joined;
      }
      // One that is under way now began after that, so it knows of all that was to be known here.
      return underWay(key) ?? begin(key, load);
    },
    forget(key) {
      kept.delete(key);
      reading.delete(key);
      onGone?.(key);
    },
    get count() {
      return kept.size;
    },
  };
}
