import type { Receipt } from "./types.ts";

/** An authority of the trust domain. Times are RFC 3339, null for what has not come or is not known. */
export interface Authority {
  readonly authority: string;
  readonly state: "prepared" | "active" | "retired";
  /** Whether the node that answered signs with it. */
  readonly signsHere: boolean;
  readonly notBefore: string | null;
  readonly notAfter: string | null;
  readonly preparedAt: string | null;
  readonly activatedAt: string | null;
  readonly retiredAt: string | null;
  readonly reason: string | null;
}

/** Calls as JSON, as a client makes them. */
interface Calls {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, value: object, how: { repeatable: boolean }): Promise<T>;
}

/** The methods of a client for authorities. */
export function authorityCalls({ get, post }: Calls) {
  return {
    listAuthorities: async () =>
      (await get<{ authorities: readonly Authority[] }>("/authorities")).authorities,
    retireAuthority: (authority: string, reason: string) =>
      post<{ authority: string; believedBy: readonly string[]; receipt: Receipt }>(
        "/authorities/retire",
        { authority, reason },
        { repeatable: false },
      ),
  };
}
