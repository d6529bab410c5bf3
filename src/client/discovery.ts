import type { createCalls } from "./calls.ts";
import { part } from "./paths.ts";
import type { ManifestRecorded, Problem, Pushed } from "./types.ts";

/** What became of a piece that was found. */
export type DiscoveredResult = { readonly from: string } & (
  | ({ readonly status: "accepted" | "known" } & (Pushed | { readonly manifest: ManifestRecorded }))
  | { readonly status: "refused"; readonly problem: Problem }
);

export interface SearchedSource {
  readonly source: string;
  readonly results: readonly DiscoveredResult[];
  /** Why there may be more. */
  readonly problem?: Problem;
}

export function discoveryCalls({ post }: Pick<ReturnType<typeof createCalls>, "post">) {
  return {
    /** Has the server look for evidence about a digest where the references say (docs/discovery.md), and take it. */
    discover: async (digest: string, from: readonly string[]) =>
      (
        await post<{ sources: readonly SearchedSource[] }>(
          `/artifacts/${part(digest)}/discover`,
          { from },
          { repeatable: true },
        )
      ).sources,
  };
}
