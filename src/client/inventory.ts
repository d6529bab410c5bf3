import type { createCalls } from "./calls.ts";
import { search } from "./paths.ts";

export type InventoryState = "live" | "ended" | "revoked";
export type InventoryMark = "never-renewed" | "orphaned" | "unowned";

/** One who was granted something. */
export interface InventoryEntry {
  /** A SPIFFE ID, or whom an outside issuer granted to. */
  readonly subject: string;
  /** The workload policy; null where an outside issuer granted. */
  readonly workload: string | null;
  /** The outside issuer; null where the SVIDs are ours. */
  readonly issuer: string | null;
  /** As the active workload policy names it. */
  readonly owner: string | null;
  readonly requester: string;
  readonly state: InventoryState;
  /** SVIDs that live now. */
  readonly live: number;
  readonly grants: number;
  /** Of the newest grant. */
  readonly digests: readonly string[];
  readonly firstGrantedAt: string;
  readonly lastGrantedAt: string;
  readonly lastRenewedAt: string | null;
  readonly expiresAt: string | null;
  readonly marks: readonly InventoryMark[];
  /** The first grant's event, and the newest one's. */
  readonly firstIndex: number;
  readonly lastIndex: number;
}

export interface InventoryQuery {
  readonly subject?: string;
  readonly workload?: string;
  readonly issuer?: string;
  readonly requester?: string;
  readonly digest?: string;
  readonly state?: InventoryState;
  readonly mark?: InventoryMark;
  readonly limit?: number;
  readonly after?: string;
}

export const inventoryCalls = ({ get }: Pick<ReturnType<typeof createCalls>, "get">) => ({
  /** Everyone who was ever granted something, those granted something for the first time last come first. */
  listInventory: (query: InventoryQuery = {}) =>
    get<{ inventory: readonly InventoryEntry[]; next: string | null }>(`/inventory${search({ ...query })}`),
});
