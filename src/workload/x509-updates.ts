import { VouchsafeError } from "../errors.ts";
import type { TrustBundle } from "../identity/trust-bundle.ts";
import type { Peer } from "./attest.ts";
import { type AttestedWorkload, hasFiles } from "./attested-workload.ts";
import type { BundleKeeper } from "./bundle-keeper.ts";
import { expiryOf, type X509Holding } from "./holding.ts";
import { equalityOf, type Holdings } from "./holdings.ts";
import { isFinal } from "./kept-grant.ts";
import { PATIENCE, within } from "./wait.ts";

/** Files may be written while a workload runs: it is attested anew that often, in milliseconds. */
const RECHECK = 30_000;

/** What a workload holds until the next of it. */
export interface X509Update extends X509Holding {
  readonly workload: AttestedWorkload;
  readonly bundle: TrustBundle;
  /** Those of other trust domains that it may believe. */
  readonly federated: readonly TrustBundle[];
}

export interface X509UpdateOptions {
  readonly holdings: Holdings;
  readonly bundles: BundleKeeper;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** Milliseconds after which a process is attested again to whom something new cannot be handed yet. */
const ATTEST_AGAIN = 1_000;

/**
 * What a process is given, one after another: its SVIDs as they are renewed, at once when something touches what it
 * runs, and with each new bundle. The process is attested anew each time.
 *
 * Throws what the source or the attestation throws: at the first one whatever it is; later a denial at once, and
 * anything else when the last SVID has expired, since until then the source may answer again. Ends when aborted.
 */
export async function* x509Updates(
  peer: Peer,
  { holdings, bundles, clock }: X509UpdateOptions,
  signal: AbortSignal,
): AsyncGenerator<X509Update> {
  let given: X509Update | undefined;
  /** What stands in for an answer that fails for the moment, while there is something given that has not expired. */
  function standIn<T>(error: unknown, standing: T | undefined): T {
    if (given === undefined || standing === undefined || isFinal(error) || expiryOf(given) <= clock())
      throw error;
    return standing;
  }
  while (!signal.aborted) {
    // A container's runtime may have no answer now. Whether what was given still stands is decided all the same.
    const workload = await peer.attest().catch((error) => standIn(error, given?.workload));
    const holding = holdings.of(workload);
    let version = holding.version();
    // A source that hangs keeps nobody beyond what it has.
    const left = given === undefined ? Number.POSITIVE_INFINITY : expiryOf(given) - clock();
    const next = await within(left, obtain()).then(orExpired, (error) => standIn(error, given));
    let atMost = expiryOf(given ?? next) - clock();
    if (
      next.grants !== given?.grants ||
      next.bundle !== given.bundle ||
      !areSame(next.federated, given.federated)
    ) {
      // The source may be far away: nothing is handed to a process that became another meanwhile.
      const again = await peer.attest().catch((error) => standIn(error, null));
      if (again !== null && equalityOf(again) !== equalityOf(workload)) continue;
      if (again === null) {
        atMost = Math.min(atMost, ATTEST_AGAIN);
      } else {
        given = next;
        yield next;
        atMost = expiryOf(next) - clock();
      }
    }
    await holding.changed(version, hasFiles(workload) ? Math.min(atMost, RECHECK) : atMost, signal);

    async function obtain(): Promise<X509Update> {
      // Whom to believe is told also to who can be granted nothing now: an authority that was retired may be in a thief's hands.
      const held = await holding
        .x509(given === undefined ? PATIENCE : Number.POSITIVE_INFINITY)
        .catch((error) => standIn(error, given));
      version = holding.version();
      const bundle = await bundles.including(held.grants.authorities);
      return { ...held, workload, bundle, federated: await bundles.federatedFor(workload) };
    }
  }
}

function areSame(some: readonly TrustBundle[], others: readonly TrustBundle[]): boolean {
  return some.length === others.length && some.every((bundle) => others.includes(bundle));
}

function orExpired(update: X509Update | undefined): X509Update {
  if (update !== undefined) return update;
  throw new VouchsafeError("unavailable", "The SVID has expired, and the source gives no other");
}
