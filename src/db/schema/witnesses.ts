/** What the log's witnesses have seen and signed (migration 0010). Nothing of it follows from the log. */
export interface WitnessTables {
  witnesses: WitnessesTable;
  cosigned_checkpoints: CosignedCheckpointsTable;
  witness_lease: WitnessLeaseTable;
}

export interface WitnessesTable {
  /** `name+hash+base64`. */
  key: string;
  /** What it cosigned last, as far as is known. */
  size: number;
  /** By the clock of the node that got it. */
  cosigned_at: number | null;
  trouble: string | null;
  troubled_at: number | null;
  /** Set while it says what cannot be true of this log too. */
  contradiction: string | null;
}

export interface CosignedCheckpointsTable {
  size: number;
  /** The log's note, and a line for each cosignature. */
  checkpoint: string;
  /** Whether it was served as the log's newest checkpoint. */
  published: boolean;
}

export interface WitnessLeaseTable {
  only: boolean;
  holder: string | null;
}
