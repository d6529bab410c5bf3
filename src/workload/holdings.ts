import type { TrustBundle } from "../identity/trust-bundle.ts";
import type { AttestedWorkload } from "./attested-workload.ts";
import { type Holding, type HoldingOptions, openHolding } from "./holding.ts";

/** What the processes of this host are given: one holding for all that are attested to be the same. */
export interface Holdings {
  of(workload: AttestedWorkload): Holding;
  /** See `Holding`. */
  bundleChanged(bundle: TrustBundle): void;
  readonly size: number;
  close(): void;
}

/** Kept for processes that may come back. What streams wait for is not counted: connections bound that. */
const MAX_IDLE = 1024;

export function openHoldings(options: HoldingOptions): Holdings {
  // In the order in which they were asked for last.
  const holdings = new Map<string, Holding>();

  /** Private keys that nobody can use any more are not kept, nor more of the others than there is room for. */
  function makeRoom(): void {
    const idle = [...holdings].filter(([, holding]) => !holding.isInUse());
    const surplus = idle.length - MAX_IDLE;
    for (const [i, [key, holding]] of idle.entries()) {
      if (i >= surplus && holding.isLive()) continue;
      holding.close();
      holdings.delete(key);
    }
  }

  return {
    of(workload) {
      const key = equalityOf(workload);
      let holding = holdings.get(key);
      if (holding === undefined) {
        makeRoom();
        holding = openHolding(workload, options);
      }
      holdings.delete(key);
      holdings.set(key, holding);
      return holding;
    },
    bundleChanged(bundle) {
      for (const holding of holdings.values()) holding.bundleChanged(bundle);
    },
    get size() {
      return holdings.size;
    },
    close() {
      for (const holding of holdings.values()) holding.close();
      holdings.clear();
    },
  };
}

/** The same text for processes that are attested to be the same: whatever a decision could rest on is in it. */
export function equalityOf({ pid: _, ...attested }: AttestedWorkload): string {
  return JSON.stringify(attested, inOrder);
}

/** A replacer that writes an object's members in the order of their names. */
function inOrder(_name: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
