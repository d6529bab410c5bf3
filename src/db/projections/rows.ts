import type { ProjectId } from "../../custody/events.ts";
import type { LogEntry } from "../../custody/log-store.ts";
import type { InventoryRow } from "./inventory.ts";

/** One row as JSON: columns by name, for `json_populate_recordset`. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * The rows that follow from a batch of events, by the statement that writes them. A row of current state is named once,
 * by its key, with what the batch leaves of it: one SQL statement must not change a row twice.
 */
export interface Projection {
  readonly projects: Row[];
  readonly suspensions: Map<string, Row>;
  readonly attestations: Row[];
  readonly attestation_subjects: Row[];
  readonly containment: Row[];
  readonly rejections: Row[];
  readonly verdicts: Map<string, Row>;
  readonly quarantines: Map<string, Row>;
  readonly quarantine_liftings: Row[];
  readonly approvals: Map<string, Row>;
  readonly approval_withdrawals: Row[];
  readonly exceptions: Map<string, Row>;
  readonly exception_withdrawals: Row[];
  readonly revocations: Map<string, Row>;
  readonly revocation_withdrawals: Row[];
  readonly active_policies: Map<string, Row>;
  readonly active_trust: Map<string, TrustRow>;
  readonly identities: Row[];
  readonly inventory: Map<string, InventoryRow>;
  readonly inventory_withdrawals: Map<string, Row>;
  readonly identity_revocations: Row[];
  readonly agents: Row[];
  readonly agent_revocations: Row[];
  readonly holds: Row[];
  readonly hold_releases: Row[];
  readonly retention_classes: Map<string, Row>;
  readonly expirations: Row[];
  readonly verdict_grounds: Map<string, Row>;
  readonly would_denials: Row[];
}

export interface TrustRow extends Row {
  readonly project_id: string;
  readonly trust: string;
  /** Snapshots under which a pass holds from this batch on. */
  readonly holding: readonly string[];
  /** Whether those that held before the batch still do. */
  readonly extends_previous: boolean;
  readonly index: number;
}

/** Adds what follows from an event. */
export type Projector = (entry: LogEntry, rows: Projection) => void;

export function noRows(): Projection {
  return {
    projects: [],
    suspensions: new Map(),
    attestations: [],
    attestation_subjects: [],
    containment: [],
    rejections: [],
    verdicts: new Map(),
    quarantines: new Map(),
    quarantine_liftings: [],
    approvals: new Map(),
    approval_withdrawals: [],
    exceptions: new Map(),
    exception_withdrawals: [],
    revocations: new Map(),
    revocation_withdrawals: [],
    active_policies: new Map(),
    active_trust: new Map(),
    identities: [],
    inventory: new Map(),
    inventory_withdrawals: new Map(),
    identity_revocations: [],
    agents: [],
    agent_revocations: [],
    holds: [],
    hold_releases: [],
    retention_classes: new Map(),
    expirations: [],
    verdict_grounds: new Map(),
    would_denials: [],
  };
}

/** Ends what began in this batch, or in one before it. */
export function endRow(
  begun: Map<string, Row>,
  ends: Row[],
  row: { readonly project_id: ProjectId; readonly id: unknown },
  how: Row,
): void {
  const key = `${row.project_id} ${row.id}`;
  const before = begun.get(key);
  if (before !== undefined) begun.set(key, { ...before, ...how });
  else ends.push({ ...row, ...how });
}

/** What ends at a time that cannot be read must not become something that never ends. */
export function millisecondsOf(rfc3339: string): number {
  const time = Date.parse(rfc3339);
  if (Number.isNaN(time)) throw new RangeError(`${rfc3339} is not a time`);
  return time;
}
