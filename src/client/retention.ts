import { part, search } from "./paths.ts";
import type { Receipt } from "./types.ts";

export interface Hold {
  readonly id: string;
  readonly artifact: string;
  readonly reason: string;
  readonly index: number;
}

/** `held` by a hold, `kept` by its class, `live`: by an identity that rests on it, or `due`: by nothing. */
export type KeptState = "held" | "kept" | "live" | "due";

export interface Retention {
  readonly artifact: string;
  /** The retention class that counts; null: nothing about the artifact is ever deleted. */
  readonly class: string | null;
  readonly isAssigned: boolean;
  readonly holds: readonly Hold[];
  /** What is there about the artifact; `keptUntil` is null where no time ends it. */
  readonly evidence: readonly {
    readonly attestation: string;
    readonly acceptedAt: string;
    readonly state: KeptState;
    readonly keptUntil: string | null;
  }[];
}

export interface Sweep {
  /** `index`: of the event; null where it was only asked what is due. */
  readonly expired: readonly {
    readonly attestation: string;
    readonly artifacts: readonly string[];
    readonly class: string;
    readonly acceptedAt: string;
    readonly keptUntil: string;
    readonly index: number | null;
  }[];
  readonly held: number;
  readonly live: number;
  /** Where to go on; null when all was looked at. */
  readonly next: number | null;
}

type Get = <T>(path: string) => Promise<T>;
type Post = <T>(path: string, value: object, options: { repeatable: boolean }) => Promise<T>;

/** The part of the client for how long evidence is kept. */
export function retentionCalls(get: Get, post: Post) {
  return {
    placeHold: (artifact: string, reason: string) =>
      post<Omit<Hold, "index"> & { receipt: Receipt }>("/holds", { artifact, reason }, { repeatable: false }),
    releaseHold: (id: string, reason: string) =>
      post<{ id: string; receipt: Receipt }>(`/holds/${part(id)}/release`, { reason }, { repeatable: false }),
    listHolds: async () => (await get<{ holds: readonly Hold[] }>("/holds")).holds,
    readRetention: (digest: string) => get<Retention>(`/artifacts/${part(digest)}/retention`),
    assignRetention: (digest: string, name: string, reason: string) =>
      post<{ artifact: string; class: string; receipt: Receipt }>(
        `/artifacts/${part(digest)}/retention`,
        { class: name, reason },
        { repeatable: true },
      ),
    /** Deletes the bytes of a part of what is due, from the log index after which to go on. */
    sweepRetention: (after?: number) =>
      post<Sweep>("/retention/sweep", after === undefined ? {} : { after }, { repeatable: true }),
    /** What it would delete. */
    readDue: (after?: number) => get<Sweep>(`/retention/due${search({ after })}`),
  };
}
