import type { Kysely } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { Schema } from "./schema.ts";

/** What one requester would have been denied alike. Times are milliseconds since the epoch. */
export interface WouldDenial {
  /** The VerificationPolicy that does not pass it; null where what runs was not even told apart. */
  readonly policy: string | null;
  /** The WorkloadPolicy under which it was asked for. */
  readonly workload: string | null;
  readonly artifact: Digest | null;
  /** The code that a WorkloadPolicy in audit mode would deny with; null where the VerificationPolicy is in audit mode. */
  readonly because: string | null;
  /** Who asked, or to whom an outside issuer granted. */
  readonly requester: string;
  readonly count: number;
  /** Log indexes of the first and of the newest event that says so. */
  readonly first: number;
  readonly last: number;
  readonly lastTime: number;
}

export interface WouldDenialSearch {
  readonly policy?: string;
  readonly workload?: string;
  readonly artifact?: Digest;
  /** Only what was recorded then or later. */
  readonly since?: number;
  readonly limit: number;
}

/** The newest first. */
export async function searchWouldDenials(
  db: Kysely<Schema>,
  project: ProjectId,
  { policy, workload, artifact, since, limit }: WouldDenialSearch,
): Promise<WouldDenial[]> {
  const alike = ["policy", "workload", "artifact", "because", "requester"] as const;
  const rows = await db
    .selectFrom("would_denials")
    .select(alike)
    .select(({ fn }) => [
      fn.sum<number | string>("count").as("count"),
      fn.min<number>("index").as("first"),
      fn.max<number>("index").as("last"),
      fn.max<number>("time").as("lastTime"),
    ])
    .where("project_id", "=", project)
    .$if(policy !== undefined, (query) => query.where("policy", "=", policy ?? ""))
    .$if(workload !== undefined, (query) => query.where("workload", "=", workload ?? ""))
    .$if(artifact !== undefined, (query) => query.where("artifact", "=", artifact ?? ""))
    .$if(since !== undefined, (query) => query.where("time", ">=", since ?? 0))
    .groupBy(alike)
    .orderBy("last", "desc")
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    ...row,
    artifact: row.artifact as Digest | null,
    count: Number(row.count),
  }));
}
