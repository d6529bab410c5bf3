import type { Vouchsafe } from "../../src/services/context.ts";

/** The same node, and how many queries it sent whose raw SQL has this in it. */
export function counted(v: Vouchsafe, part: string): { readonly v: Vouchsafe; readonly count: () => number } {
  let count = 0;
  const kysely = v.database.kysely.withPlugin({
    transformQuery({ node }) {
      if (node.kind === "RawNode" && node.sqlFragments.join(" ").includes(part)) count += 1;
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  return { v: { ...v, database: { ...v.database, kysely } }, count: () => count };
}
