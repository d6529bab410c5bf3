import { type InventorySearch, searchInventory } from "../../db/inventory.ts";
import { parseDigest } from "../../in-toto-attestation/digest.ts";
import { activePolicySet } from "../active-policy-set.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { pageStart } from "../page-start.ts";

export { MARKS, STATES } from "../../db/inventory.ts";

export interface InventoryQuery extends Omit<InventorySearch, "digest" | "before"> {
  /** `algorithm:hex` */
  readonly digest?: string;
  /** `next` of the page before. */
  readonly after?: string;
}

/**
 * Everyone who was ever granted an identity, or something by an outside issuer on our word: one entry for each subject, workload
 * policy or issuer, and requester. Owners are those that the active policies name.
 */
export async function listInventory(v: Vouchsafe, { project }: Caller, query: InventoryQuery) {
  const { digest, after, ...rest } = query;
  const workloads = (await activePolicySet(v, project))?.workloads ?? [];
  const owners = new Map([...workloads].map(([name, { owner }]) => [name, owner ?? null]));
  const found = await searchInventory(
    v.database.kysely,
    project,
    {
      ...rest,
      ...(digest !== undefined && { digest: parseDigest(digest) }),
      ...(after !== undefined && { before: pageStart(after) }),
    },
    {
      now: v.clock(),
      active: [...owners.keys()],
      owned: [...owners].flatMap(([name, owner]) => (owner === null ? [] : [name])),
    },
  );
  const last = found.at(-1);
  return {
    inventory: found.map(
      ({ workload, issuer, firstGranted, lastGranted, lastRenewed, expiresAt, ...held }) => ({
        ...held,
        workload: workload === "" ? null : workload,
        issuer: issuer === "" ? null : issuer,
        owner: owners.get(workload) ?? null,
        firstGrantedAt: timeOf(firstGranted),
        lastGrantedAt: timeOf(lastGranted),
        lastRenewedAt: lastRenewed === null ? null : timeOf(lastRenewed),
        expiresAt: expiresAt === null ? null : timeOf(expiresAt),
      }),
    ),
    next: last !== undefined && found.length === query.limit ? String(last.firstIndex) : null,
  };
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
