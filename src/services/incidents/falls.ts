import type { ProjectId } from "../../custody/events.ts";
import { type IdentityRecord, type IdentitySearch, searchIdentities } from "../../db/identities.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import type { Vouchsafe } from "../context.ts";

/** An artifact, and of the policies that judge it those under which it fares otherwise. */
export interface TurnedArtifact {
  readonly digest: Digest;
  readonly policies: readonly string[];
}

/** A live identity that rests on what falls: it is not granted again, and lasts until `expiresAt` (RFC 3339) elsewhere. */
export interface FallenIdentity {
  readonly kind: IdentityRecord["kind"];
  readonly serial: string;
  readonly spiffeId: string;
  readonly requester: string;
  readonly expiresAt: string;
}

/** Who holds such identities: of one SPIFFE ID, workload policy, requester and list of digests. */
export type FallenWorkload = Pick<IdentityRecord, "spiffeId" | "workload" | "requester" | "digests">;

/** What falls with evidence: up to 1,000 of each kind by name, and how many there are. */
export interface Falls {
  /** Those that pass no longer. */
  readonly artifacts: readonly TurnedArtifact[];
  readonly identities: readonly FallenIdentity[];
  readonly workloads: readonly FallenWorkload[];
  /** Those that pass only now: the evidence spoke against them, and older evidence of its signer counts again. */
  readonly gains: readonly TurnedArtifact[];
  readonly totals: Readonly<Record<"artifacts" | "identities" | "workloads" | "gains", number>>;
  /** Whether there are more than are named. */
  readonly truncated: boolean;
  /** False where there was no time to judge every artifact: the totals are then too small, and all falls none the less. */
  readonly complete: boolean;
}

/** Identities read at once. */
const PAGE = 500;
const MAX_NAMED = 1000;
/** How long is looked for what falls, in milliseconds: an operator waits for the answer, and clients wait for 30 seconds. */
const PATIENCE = 15_000;

/** What falls, as it is found. */
export interface FallsFound {
  artifact(one: TurnedArtifact): void;
  gain(one: TurnedArtifact): void;
  identity(one: IdentityRecord): void;
  /** Whether there is no time for more: it is then told that more may fall. */
  isLate(): boolean;
  read(): Falls;
}

export function createFalls(): FallsFound {
  const deadline = performance.now() + PATIENCE;
  const artifacts = createNamed<TurnedArtifact>();
  const gains = createNamed<TurnedArtifact>();
  const identities = createNamed<FallenIdentity>();
  const workloads = createNamed<FallenWorkload>();
  let complete = true;
  return {
    artifact: (one) => artifacts.add(one.digest, one),
    gain: (one) => gains.add(one.digest, one),
    identity({ kind, serial, spiffeId, workload, requester, digests, expiresAt: end }) {
      const expiresAt = new Date(end).toISOString();
      identities.add(`${kind} ${serial}`, { kind, serial, spiffeId, requester, expiresAt });
      const held = { spiffeId, workload, requester, digests };
      workloads.add(JSON.stringify(held), held);
    },
    isLate() {
      if (performance.now() > deadline) complete = false;
      return !complete;
    },
    read() {
      const all = [artifacts, identities, workloads, gains];
      return {
        artifacts: artifacts.named,
        identities: identities.named,
        workloads: workloads.named,
        gains: gains.named,
        totals: {
          artifacts: artifacts.total,
          identities: identities.total,
          workloads: workloads.total,
          gains: gains.total,
        },
        truncated: all.some(({ named, total }) => named.length < total),
        complete,
      };
    },
  };
}

/** Counts each thing once, by its key, and keeps the first. */
function createNamed<T>() {
  const keys = new Set<string>();
  const named: T[] = [];
  return {
    named,
    add(key: string, one: T) {
      if (keys.has(key)) return;
      keys.add(key);
      if (named.length < MAX_NAMED) named.push(one);
    },
    get total() {
      return keys.size;
    },
  };
}

/**
 * Live identities, newest first.
 *
 * @param search which
 * @param below those that were taken back from this log index on live too: something took them back that is asked about
 */
export async function* liveIdentities(
  v: Vouchsafe,
  project: ProjectId,
  search: Pick<IdentitySearch, "anyOf" | "workloads" | "spiffeId" | "serial">,
  below?: number,
): AsyncGenerator<IdentityRecord> {
  if (search.anyOf?.length === 0) return;
  const live = { liveAt: v.clock(), ...(below !== undefined && { liveBelow: below }) };
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const page = await searchIdentities(v.database.kysely, project, {
      ...search,
      ...live,
      before,
      limit: PAGE,
    });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    before = last.index;
  }
}
