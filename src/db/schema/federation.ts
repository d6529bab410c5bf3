import type { ProjectId } from "../../custody/events.ts";

/** Bundles of other trust domains (migration 0017). Nothing of it follows from the log. */
export interface FederationTables {
  federated_bundles: FederatedBundlesTable;
}

export interface FederatedBundlesTable {
  project_id: ProjectId;
  trust_domain: string;
  /** Hash of the endpoint and the first bundle that the policies name. */
  relationship: string;
  /** A SPIFFE bundle document; null until the first fetch. */
  bundle: string | null;
  /** The document's own, where it counts. */
  sequence: number | null;
  /** By the clock of the node that fetched it. */
  fetched_at: number | null;
  /** What came of the last attempt instead; null when it went well. */
  trouble: string | null;
  troubled_at: number | null;
}
