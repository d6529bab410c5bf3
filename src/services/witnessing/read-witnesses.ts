import { readHead } from "../../db/log.ts";
import type { Vouchsafe } from "../context.ts";
import { readWitnessed } from "../log/cosigned-checkpoints.ts";
import { recordFor, recordsOf } from "./ask-witnesses.ts";

/** Who cosigns the log, and how far each has come. Times are RFC 3339. */
export interface LogWitnesses {
  readonly treeSize: number;
  /** Of the newest checkpoint that the quorum has cosigned; null where there is none. */
  readonly witnessedSize: number | null;
  readonly witnesses: readonly {
    /** As the witness policy names it. */
    readonly name: string;
    readonly verifierKey: string;
    /** Of the tree that it cosigned last. */
    readonly size: number;
    readonly cosignedAt: string | null;
    /** What went wrong last, be it over or not. */
    readonly trouble: { readonly at: string; readonly what: string } | null;
    /** What it says that cannot be true of this log too: no node that believes it adds to the log. */
    readonly contradiction: string | null;
  }[];
}

/** What is known of the log's witnesses; none of them where the log has none. */
export async function readWitnesses(v: Vouchsafe): Promise<LogWitnesses> {
  const { size: treeSize } = await readHead(v.database.kysely);
  if (v.witnesses === undefined) return { treeSize, witnessedSize: null, witnesses: [] };
  const { policy } = v.witnesses;
  const records = await recordsOf(v);
  const witnessed = await readWitnessed({ database: v.database, policy, signers: v.log.signers });
  return {
    treeSize,
    witnessedSize: witnessed?.size ?? null,
    witnesses: policy.witnesses.map((witness) => {
      const { key, size, cosignedAt, trouble, troubledAt, contradiction } = recordFor(records, witness);
      return {
        name: witness.name,
        verifierKey: key,
        size,
        cosignedAt: cosignedAt === null ? null : new Date(cosignedAt).toISOString(),
        trouble:
          trouble === null || troubledAt === null
            ? null
            : { at: new Date(troubledAt).toISOString(), what: trouble },
        contradiction,
      };
    }),
  };
}
