import { Type } from "typebox";
import { ROLES } from "../../services/caller.ts";
import type { Vouchsafe } from "../../services/context.ts";
import { proveEntry, proveGrowth } from "../../services/log/prove-log.ts";
import { readReceipts } from "../../services/log/receipts.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import { closed, LogSize, LogSizeText, nullable, Receipt } from "../schemas.ts";

const MAX_RECEIPTS = 256;

const Proof = Type.Array(Type.String(), { description: "hashes, base64, as RFC 6962 orders them" });
const Checkpoint = nullable(
  Type.String({ description: "of the size that the proof leads to; null where that is not the newest" }),
);

export const InclusionProof = closed({
  index: LogSize,
  treeSize: LogSize,
  inclusionProof: Proof,
  checkpoint: Checkpoint,
});
export const ConsistencyProof = closed({
  from: LogSize,
  to: LogSize,
  consistencyProof: Proof,
  checkpoint: Checkpoint,
});

/** Proofs for those who do not compute them from tiles. They tell hashes and numbers, so anybody may ask. */
export function logProofRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/log/proof/inclusion",
    {
      config: { access: "public" },
      schema: {
        summary: "Proof that an entry is in the tree of a size, the newest if absent",
        querystring: closed({ index: LogSizeText, treeSize: Type.Optional(LogSizeText) }),
        ...answers({ 200: InclusionProof }),
      },
    },
    async ({ query: { index, treeSize } }) =>
      proveEntry(v, { index: Number(index), treeSize: optional(treeSize) }),
  );

  app.get(
    "/log/proof/consistency",
    {
      config: { access: "public" },
      schema: {
        summary: "Proof that the tree of one size, the newest if absent, extends that of another",
        querystring: closed({ from: LogSizeText, to: Type.Optional(LogSizeText) }),
        ...answers({ 200: ConsistencyProof }),
      },
    },
    async ({ query: { from, to } }) => proveGrowth(v, { from: Number(from), to: optional(to) }),
  );

  app.post(
    "/log/receipts",
    {
      config: { access: ROLES },
      schema: {
        summary: `Receipts for up to ${MAX_RECEIPTS} events of the project, against the newest witnessed checkpoint that has them, or the newest`,
        body: closed({
          indexes: Type.Array(LogSize, { minItems: 1, maxItems: MAX_RECEIPTS, uniqueItems: true }),
        }),
        ...answers({ 200: closed({ receipts: Type.Array(Receipt) }) }),
      },
    },
    async (request) => ({ receipts: await readReceipts(v, callerOf(request), request.body.indexes) }),
  );
}

function optional(size: string | undefined): number | undefined {
  return size === undefined ? undefined : Number(size);
}
