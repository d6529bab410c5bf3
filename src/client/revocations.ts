import { part } from "./paths.ts";
import type { Revocation, RevocationPreview, RevocationTarget, Revoked } from "./revocation-types.ts";
import type { Receipt } from "./types.ts";

/** Calls as JSON, as a client makes them. */
interface Calls {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, value: object, how: { repeatable: boolean }): Promise<T>;
}

/** The methods of a client for revocations. */
export function revocationCalls({ get, post }: Calls) {
  return {
    /** It holds from the answer on; after `unreachable` the list says whether it does. */
    revoke: (target: RevocationTarget, reason: string) =>
      post<Revoked>("/revocations", { target, reason }, { repeatable: false }),
    /** What would fall; changes nothing. */
    previewRevocation: (target: RevocationTarget, reason: string) =>
      post<RevocationPreview>("/revocations", { target, reason, dryRun: true }, { repeatable: true }),
    listRevocations: async () =>
      (await get<{ revocations: readonly Revocation[] }>("/revocations")).revocations,
    readRevocation: (id: string) => get<Revocation>(`/revocations/${part(id)}`),
    withdrawRevocation: (id: string, reason: string) =>
      post<{ id: string; receipt: Receipt }>(
        `/revocations/${part(id)}/withdraw`,
        { reason },
        { repeatable: false },
      ),
  };
}
