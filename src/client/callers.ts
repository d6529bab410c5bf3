import { part } from "./paths.ts";
import type { Transport } from "./transport.ts";
import type { Role, TokenCreated, TokenSummary, TokenToCreate } from "./types.ts";

/** Who calls, to the server. */
export interface CallerSummary {
  /** What events name it. */
  readonly caller: string;
  readonly name: string;
  readonly project: string;
  readonly roles: readonly Role[];
  readonly policies: readonly string[];
  readonly mayChoosePolicy: boolean;
  /** Of an AccessPolicy, from 1; null for a bearer token of the server's and for an agent. */
  readonly rule: { readonly policy: string; readonly number: number } | null;
}

/** Calls as JSON, as a client makes them. */
interface Calls {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, value: object, how: { repeatable: boolean }): Promise<T>;
}

/** The methods of a client for callers and their tokens. */
export function callerCalls({ get, post }: Calls, transport: Transport) {
  return {
    whoAmI: () => get<CallerSummary>("/whoami"),
    createToken: (token: TokenToCreate) => post<TokenCreated>("/tokens", token, { repeatable: false }),
    listTokens: async () => (await get<{ tokens: readonly TokenSummary[] }>("/tokens")).tokens,
    async revokeToken(id: string): Promise<void> {
      await transport({ method: "DELETE", path: `/tokens/${part(id)}`, repeatable: true });
    },
  };
}
