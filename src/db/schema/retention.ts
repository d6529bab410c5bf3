import type { Fixed } from "./column-types.ts";

/** Legal holds: each stands until it is among `hold_releases`. */
export interface HoldsTable {
  project_id: Fixed<string>;
  id: Fixed<string>;
  artifact: Fixed<string>;
  reason: Fixed<string>;
  index: Fixed<number>;
}

export interface HoldReleasesTable {
  project_id: Fixed<string>;
  id: Fixed<string>;
  index: Fixed<number>;
}

/** The retention class of each artifact that one was assigned to. */
export interface RetentionClassesTable {
  project_id: string;
  artifact: string;
  class: string;
  index: number;
}

/** Evidence whose bytes are gone. */
export interface ExpirationsTable {
  project_id: Fixed<string>;
  attestation: Fixed<string>;
  index: Fixed<number>;
}

/** The other artifacts that any verdict of an artifact has ever rested on. */
export interface VerdictGroundsTable {
  project_id: Fixed<string>;
  artifact: Fixed<string>;
  ground: Fixed<string>;
  /** The first such verdict's. */
  index: Fixed<number>;
}
