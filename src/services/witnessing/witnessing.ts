import { randomUUID } from "node:crypto";
import { EMPTY_TREE, extendsTree } from "../../custody/writer/consistency.ts";
import { dropLease, takeLease } from "../../db/leases.ts";
import { readHead, tileReader } from "../../db/log.ts";
import type { WitnessRecord } from "../../db/witnesses.ts";
import type { Witness, WitnessPolicy } from "../../tlog/witness-policy.ts";
import type { Vouchsafe } from "../context.ts";
import { publishIfBehind } from "../log/cosigned-checkpoints.ts";
import { setObstacle } from "../log/obstacles.ts";
import { lagsBehindKeys } from "../log/watch-log-keys.ts";
import {
  type Asking,
  askWitness,
  contradictionOf,
  forked,
  recordFor,
  recordsOf,
  targetOf,
} from "./ask-witnesses.ts";

const OBSTACLE = "witnesses";
const LEASE = "witness_lease";
/** For how long a node that does not come back keeps the others from submitting. */
const LEASE_SECONDS = 10;
/** A witness that was in trouble is left alone for a while, doubled each time up to this, in milliseconds. */
const LONGEST_REST = 30_000;
const BEHIND = "the log's witnesses are behind: checkpoints are served without them";
const CAUGHT_UP = "the log's witnesses have caught up: checkpoints are served with them again";

/** The node's part in getting the log witnessed. */
export interface Witnesses {
  readonly policy: WitnessPolicy;
  /**
   * Asks every witness to cosign the log's head before anything is added to it, and so whether it has seen more than
   * this database holds. One that cannot be asked is told of and passed over.
   *
   * @throws VouchsafeError `log-inconsistent` when one has seen a tree that the log does not have in it
   */
  requireNoFork(asking: Omit<Asking, "policy">): Promise<void>;
  /** Submits the newest checkpoint to all witnesses that have not cosigned it, if it is this node's turn. */
  turn(v: Vouchsafe): Promise<void>;
  close(v: Pick<Vouchsafe, "database">): Promise<void>;
}

/** What a node remembers of a witness while it runs. */
interface Acquaintance {
  isBusy: boolean;
  /**
   * Whether it has cosigned for this node. From then on the node's own memory of the log says more than a witness's
   * word, and one that turns against the log does not stop it.
   */
  hasCosigned: boolean;
  failures: number;
  /** By the monotonic clock. */
  restsUntil: number;
}

/**
 * Gets the log's checkpoints cosigned, in rounds: each is of one checkpoint, so that a quorum comes together on it.
 * Nodes take turns by a lease in the database. Should two submit at once all the same, each witness still judges one
 * submission after the other, and the worse is answered with a size.
 */
export function createWitnesses(policy: WitnessPolicy): Witnesses {
  const holder = randomUUID();
  const acquaintances = new Map<Witness, Acquaintance>();
  let isBehind = false;
  let waiting = { witnessed: -1, since: 0 };
  let seen = EMPTY_TREE;

  function acquaintance(witness: Witness): Acquaintance {
    const known = acquaintances.get(witness);
    if (known !== undefined) return known;
    const met = { isBusy: false, hasCosigned: false, failures: 0, restsUntil: 0 };
    acquaintances.set(witness, met);
    return met;
  }

  /** How long the quorum has been at this size while there is more, by the monotonic clock. */
  function waitedFor(witnessed: number): number {
    const now = performance.now();
    if (waiting.witnessed !== witnessed) waiting = { witnessed, since: now };
    return now - waiting.since;
  }

  /** Whether the log still has in it what this node saw of it a second ago. */
  async function watchOwn({ database }: Vouchsafe): Promise<string | undefined> {
    const head = await readHead(database.kysely);
    if (!(await extendsTree({ head, readTiles: tileReader(database.kysely) }, seen)))
      return `This node has seen the log with ${seen.size} entries that are no longer in it`;
    seen = head;
    return undefined;
  }

  /** A witness's word is recorded by the node that asked it; every node stops on it. */
  function heed(v: Vouchsafe, records: readonly WitnessRecord[], own: string | undefined): void {
    const contradictions = policy.witnesses.flatMap((witness) => {
      const { contradiction } = recordFor(records, witness);
      const isBelieved = contradiction !== null && !acquaintance(witness).hasCosigned;
      return isBelieved ? [contradictionOf(witness, contradiction)] : [];
    });
    const first = own ?? contradictions[0];
    setObstacle(v, OBSTACLE, first === undefined ? undefined : forked(first));
  }

  async function ask(
    asking: Asking,
    witness: Witness,
    target: Parameters<typeof askWitness>[2],
    record: WitnessRecord,
    signal?: AbortSignal,
  ): Promise<Awaited<ReturnType<typeof askWitness>>> {
    const known = acquaintance(witness);
    known.isBusy = true;
    try {
      const asked = await askWitness(asking, witness, target, record, !known.hasCosigned, signal);
      const { outcome } = asked;
      if (outcome.case === "cosigned") {
        known.hasCosigned = true;
        known.failures = 0;
      } else {
        known.failures += 1;
        known.restsUntil = performance.now() + Math.min(LONGEST_REST, 500 * 2 ** known.failures);
      }
      return asked;
    } finally {
      known.isBusy = false;
    }
  }

  return {
    policy,
    async requireNoFork(node) {
      const asking = { ...node, policy };
      const [target, records] = [await targetOf(asking), await recordsOf(asking)];
      const found = await Promise.all(
        policy.witnesses.map(async (witness) => {
          const record = recordFor(records, witness);
          const { outcome } = await ask(asking, witness, target, record);
          // What one that cannot be asked now said before still stands.
          const what = outcome.case === "contradiction" ? outcome.what : record.contradiction;
          return outcome.case === "cosigned" || what === null ? [] : [contradictionOf(witness, what)];
        }),
      );
      const [contradiction] = found.flat();
      if (contradiction !== undefined) throw forked(contradiction);
    },
    async turn(v) {
      const asking = { ...v, policy, signers: v.log.signers };
      const records = await recordsOf(v);
      heed(v, records, await watchOwn(v));
      // With other keys than those that sign the log now it would wait for signatures that are there no more.
      if (lagsBehindKeys(v)) return await dropLease(v.database, LEASE, holder);
      if (!(await takeLease(v.database, LEASE, holder, LEASE_SECONDS))) return;
      const nowBehind = await publishIfBehind(asking, v.clock(), waitedFor);
      if (nowBehind !== isBehind) v.report(nowBehind ? BEHIND : CAUGHT_UP, undefined);
      isBehind = nowBehind;
      const target = await targetOf(asking);
      const asked = policy.witnesses.filter((witness) => {
        const { isBusy, restsUntil } = acquaintance(witness);
        const { size, contradiction } = recordFor(records, witness);
        const isDone = size === target.size && contradiction === null;
        return !isBusy && !isDone && performance.now() >= restsUntil;
      });
      const enough = Promise.withResolvers<void>();
      const answered = asked.map((witness) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        // On its own: one that hangs holds up neither the others nor, once these are enough, the next round.
        v.background(async (signal) => {
          try {
            const { quorum } = await ask(asking, witness, target, recordFor(records, witness), signal);
            if (quorum) enough.resolve();
          } finally {
            resolve();
          }
        });
        return promise;
      });
      await Promise.race([enough.promise, Promise.all(answered)]);
    },
    close: ({ database }) => dropLease(database, LEASE, holder),
  };
}
