import type { createCalls } from "./calls.ts";
import { search } from "./paths.ts";

/** What one requester would have been denied alike. */
export interface WouldDenial {
  /** The VerificationPolicy that does not pass it. */
  readonly policy: string | null;
  /** The WorkloadPolicy that it was asked for by. */
  readonly workload: string | null;
  readonly artifact: string | null;
  /** The code that a WorkloadPolicy in audit mode would deny with. */
  readonly because: string | null;
  /** Who asked, or whom an outside issuer granted to. */
  readonly requester: string;
  readonly count: number;
  /** The first event that says so, and the newest. */
  readonly first: number;
  readonly last: number;
  readonly lastTime: string;
}

export interface WouldDenyQuery {
  readonly policy?: string;
  readonly workload?: string;
  readonly artifact?: string;
  /** RFC 3339 */
  readonly since?: string;
  /** 1 to 200. */
  readonly limit?: number;
}

export const reportCalls = ({ get }: Pick<ReturnType<typeof createCalls>, "get">) => ({
  /** Who would have been denied if the policies in audit mode were enforced, the newest first. */
  reportWouldDeny: (query: WouldDenyQuery = {}) =>
    get<{ wouldDeny: readonly WouldDenial[]; truncated: boolean }>(
      `/reports/would-deny${search({ ...query })}`,
    ),
});
