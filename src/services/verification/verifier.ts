import { availableParallelism } from "node:os";
import { crc32 } from "node:zlib";
import type { ProjectId } from "../../custody/events.ts";
import { type ErrorCode, VouchsafeError } from "../../errors.ts";
import { createFairQueue } from "../../fair-queue.ts";
import { sha256 } from "../../in-toto-attestation/digest.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import type { TrustSnapshot } from "../../trust/snapshot.ts";
import { checkOnThreads } from "../../verify/signature-check.ts";
import type { VerifiedAttestation } from "../../verify/verified-attestation.ts";
import { type Examined, examine, isHeld, vouchFor } from "../../verify/verify-evidence.ts";
import { createSizedCache } from "../sized-cache.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { askAgain, type SecondOpinionOptions } from "./second-opinion.ts";

/**
 * Verifies evidence with its signatures on the thread pool, and remembers what came of it, for each project by itself: how
 * quickly a project is answered does not tell it what another has.
 */
export interface Verifier {
  /**
   * As `verifyEvidence`. Throws `VouchsafeError`, also (`unavailable`) when more evidence of the project waits than can be
   * verified soon.
   */
  verify(
    project: ProjectId,
    bytes: Uint8Array,
    trust: TrustSnapshot,
    at: number,
  ): Promise<VerifiedAttestation>;
  /** Evidence of this id that verifies and is remembered; undefined for any other. */
  recall(project: ProjectId, id: Digest, trust: TrustSnapshot, at: number): VerifiedAttestation | undefined;
  /** Evidence that is being examined, and that waits for its turn. */
  readonly load: { readonly examining: number; readonly waiting: number };
}

/** What the cryptography said for good. Whether a key is still valid is asked anew each time. */
type Outcome =
  | { readonly case: "examined"; readonly examined: Examined }
  | { readonly case: "refused"; readonly refusal: VouchsafeError };

/**
 * Outcomes remembered. Most evidence is some 10 kB; a bill of materials can be 16 MiB, and a few thousand of those
 * would be all the memory there is.
 */
const REMEMBERED = { entries: 4096, bytes: 64 * 1024 * 1024 };

/** The same outcomes once more, by the bytes of their evidence. */
interface Seen {
  /** A copy, so that nobody changes it. */
  readonly bytes: Uint8Array;
  readonly trustHash: string;
  readonly outcome: Outcome;
}

/** Enough at once to keep every thread of the pool busy; more would only wait there. */
const AT_ONCE = 4 * availableParallelism();
const MAX_WAITING = 1024;

/**
 * @param opinions whether, and how, @sigstore/verify is asked besides
 * @param observe told what came of each examination
 */
export function createVerifier(
  opinions: SecondOpinionOptions,
  observe: Metrics["verified"] = () => {},
): Verifier {
  const outcomes = createSizedCache<string, Outcome>(REMEMBERED);
  /** By a checksum: which evidence it is, the comparison of its bytes says. Both take a third of the time of a digest. */
  const seen = createSizedCache<string, Seen>(REMEMBERED);
  const running = new Map<string, Promise<Outcome>>();
  const turnstile = createTurnstile(AT_ONCE, MAX_WAITING);

  function recallBytes(checksum: string, bytes: Uint8Array, trust: TrustSnapshot): Outcome | undefined {
    const known = seen.get(checksum);
    const isSame = known?.trustHash === trust.hash && Buffer.compare(known.bytes, bytes) === 0;
    return isSame ? known.outcome : undefined;
  }

  async function examineOnce(project: ProjectId, bytes: Uint8Array, trust: TrustSnapshot): Promise<Outcome> {
    const id = sha256(bytes);
    const key = keyOf(project, id, trust);
    const known = outcomes.get(key);
    if (known !== undefined) return known;
    // The same evidence that arrives twice at once is examined once.
    const examining = running.get(key) ?? examineInTurn(project, key, id, bytes, trust);
    running.set(key, examining);
    return examining;
  }

  async function examineInTurn(
    project: ProjectId,
    key: string,
    id: Digest,
    bytes: Uint8Array,
    trust: TrustSnapshot,
  ): Promise<Outcome> {
    try {
      const leave = await turnstile.enter(project);
      const from = performance.now();
      try {
        const outcome = await outcomeOf(id, bytes, trust, opinions);
        observe(...named(outcome), (performance.now() - from) / 1000);
        outcomes.set(key, outcome, bytes.length);
        return outcome;
      } finally {
        leave();
      }
    } finally {
      running.delete(key);
    }
  }

  return {
    async verify(project, bytes, trust, at) {
      const checksum = `${project} ${crc32(bytes)}`;
      const again = recallBytes(checksum, bytes, trust);
      if (again !== undefined) return answer(again, at);
      const copy = new Uint8Array(bytes);
      const outcome = await examineOnce(project, copy, trust);
      seen.set(checksum, { bytes: copy, trustHash: trust.hash, outcome }, copy.length);
      return answer(outcome, at);
    },
    recall(project, id, trust, at) {
      const known = outcomes.get(keyOf(project, id, trust));
      return known?.case === "examined" && isHeld(known.examined, at)
        ? vouchFor(known.examined, at)
        : undefined;
    },
    get load() {
      return turnstile.load();
    },
  };
}

async function outcomeOf(
  id: Digest,
  bytes: Uint8Array,
  trust: TrustSnapshot,
  opinions: SecondOpinionOptions,
): Promise<Outcome> {
  const outcome = await ownOutcomeOf(id, bytes, trust);
  const ours = outcome.case === "examined" ? outcome.examined.facts.signer : outcome.refusal;
  const refusal = askAgain(bytes, trust, ours, opinions);
  return refusal === undefined ? outcome : { case: "refused", refusal };
}

async function ownOutcomeOf(id: Digest, bytes: Uint8Array, trust: TrustSnapshot): Promise<Outcome> {
  try {
    return { case: "examined", examined: await checkOnThreads(examine(bytes, trust, undefined, id)) };
  } catch (error) {
    if (!(error instanceof VouchsafeError)) throw error;
    return { case: "refused", refusal: error };
  }
}

function answer(outcome: Outcome, at: number): VerifiedAttestation {
  if (outcome.case === "refused") throw outcome.refusal;
  return vouchFor(outcome.examined, at);
}

function named(outcome: Outcome): readonly ["verified" | ErrorCode, string] {
  return outcome.case === "examined"
    ? ["verified", outcome.examined.facts.mediaType]
    : [outcome.refusal.code, "unknown"];
}

function keyOf(project: ProjectId, id: Digest, trust: TrustSnapshot): string {
  return `${project} ${id} ${trust.hash}`;
}

interface Turnstile {
  /** The promise is of the function that leaves. */
  enter(project: ProjectId): Promise<() => void>;
  load(): Verifier["load"];
}

/** Lets so many in at once, and so many of a project wait; projects have their turns. */
function createTurnstile(most: number, mostWaiting: number): Turnstile {
  const waiting = createFairQueue<() => void>({ entries: mostWaiting, bytes: Number.POSITIVE_INFINITY });
  let inside = 0;

  function leave(): void {
    const [next] = waiting.take(ONE);
    if (next === undefined) inside -= 1;
    else next();
  }

  async function enter(project: ProjectId): Promise<() => void> {
    if (inside < most) {
      inside += 1;
      return leave;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    if (!waiting.push(project, resolve, 0)) {
      throw new VouchsafeError(
        "unavailable",
        "Too much evidence waits to be verified: try again in a moment",
      );
    }
    await promise;
    return leave;
  }

  return { enter, load: () => ({ examining: inside, waiting: waiting.size.entries }) };
}

const ONE = { entries: 1, bytes: Number.POSITIVE_INFINITY };
