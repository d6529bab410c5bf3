import { hash } from "node:crypto";
import type { LogEntry } from "../../custody/log-store.ts";
import { millisecondsOf, type Projection, type Projector, type Row } from "./rows.ts";

/** A row of the inventory as one grant makes it, or as the grants of a batch do together. */
export interface InventoryRow extends Row {
  readonly project_id: string;
  readonly id: string;
  readonly first_granted: number;
  readonly last_renewed: number | null;
  readonly first_end: number | null;
  readonly grants: number;
  readonly first_index: number;
}

/** An SVID was granted or, with `identity.renewed`, took the place of another. */
export const holdIdentity: Projector = (entry, rows) => {
  const { kind, serial, spiffeId, workload, digests, requester, issuedAt, expiresAt } = entry.draft.body;
  const granted = millisecondsOf(String(issuedAt));
  const end = millisecondsOf(String(expiresAt));
  hold(rows, entry, [spiffeId, workload, "", requester], {
    granted,
    renewed: entry.draft.type === "identity.renewed" ? granted : null,
    firstEnd: kind === "x509" ? end : null,
    end,
    newest: { kind, serial, digests },
  });
};

/** An outside issuer granted something, or took back what it had granted; what it only refused is nobody's. */
export const holdDecision: Projector = (entry, rows) => {
  const { decision, grantedTo, issuer, caller, artifact, expiresAt } = entry.draft.body;
  const names = [grantedTo, "", issuer, caller];
  if (decision === "allow") {
    hold(rows, entry, names, {
      granted: entry.time,
      renewed: null,
      firstEnd: null,
      end: expiresAt === null ? null : millisecondsOf(String(expiresAt)),
      newest: { kind: null, serial: null, digests: [artifact] },
    });
    return;
  }
  const { project: project_id, time: withdrawn_at } = entry;
  const id = idOf(names);
  const key = `${project_id} ${id}`;
  const before = rows.inventory.get(key);
  if (before !== undefined) rows.inventory.set(key, { ...before, withdrawn_at });
  else rows.inventory_withdrawals.set(key, { project_id, id, withdrawn_at });
};

interface Held {
  readonly granted: number;
  readonly renewed: number | null;
  readonly firstEnd: number | null;
  readonly end: number | null;
  readonly newest: Row;
}

function hold(rows: Projection, { project, index }: LogEntry, names: readonly unknown[], held: Held): void {
  const id = idOf(names);
  const key = `${project} ${id}`;
  const before = rows.inventory.get(key);
  const [subject, workload, issuer, requester] = names;
  // Of a batch that says both, what came last counts.
  rows.inventory_withdrawals.delete(key);
  rows.inventory.set(key, {
    project_id: project,
    id,
    subject,
    workload,
    issuer,
    requester,
    first_granted: before?.first_granted ?? held.granted,
    last_granted: held.granted,
    last_renewed: held.renewed ?? before?.last_renewed ?? null,
    first_end: before?.first_end ?? held.firstEnd,
    expires_at: held.end,
    grants: (before?.grants ?? 0) + 1,
    ...held.newest,
    withdrawn_at: null,
    first_index: before?.first_index ?? index,
    last_index: index,
  });
}

function idOf(names: readonly unknown[]): string {
  return hash("sha256", names.join("\n"));
}
