import { part } from "./paths.ts";
import type { Falls, NamedSigner } from "./revocation-types.ts";
import type { Receipt } from "./types.ts";

/** Exact values. */
export type QuarantineTarget =
  | { readonly artifact: string }
  | { readonly builder: string }
  | { readonly repository: string }
  | { readonly signer: NamedSigner }
  | { readonly policy: string }
  | { readonly spiffeId: string }
  | { readonly serial: string };

export interface Quarantine {
  readonly id: string;
  readonly target: QuarantineTarget;
  readonly reason: string;
  readonly index: number;
}

/** `falls` is null where it could not be found out: it is denied all the same. */
export interface QuarantineOpened extends Quarantine {
  readonly receipt: Receipt;
  readonly falls: Falls | null;
}

export interface QuarantinePreview {
  readonly target: QuarantineTarget;
  readonly falls: Falls;
}

/** Calls as JSON, as a client makes them. */
interface Calls {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, value: object, how: { repeatable: boolean }): Promise<T>;
}

/** The methods of a client for quarantines. */
export function quarantineCalls({ get, post }: Calls) {
  return {
    /** Of the artifact with this digest, or of a target. It holds from the answer on. */
    openQuarantine: (what: string | QuarantineTarget, reason: string) =>
      post<QuarantineOpened>("/quarantines", { target: targetOf(what), reason }, { repeatable: false }),
    /** What would fall; changes nothing. */
    previewQuarantine: (target: QuarantineTarget, reason: string) =>
      post<QuarantinePreview>("/quarantines", { target, reason, dryRun: true }, { repeatable: true }),
    liftQuarantine: (id: string, reason: string) =>
      post<{ id: string; receipt: Receipt }>(
        `/quarantines/${part(id)}/lift`,
        { reason },
        { repeatable: false },
      ),
    listQuarantines: async () =>
      (await get<{ quarantines: readonly Quarantine[] }>("/quarantines")).quarantines,
  };
}

function targetOf(what: string | QuarantineTarget): QuarantineTarget {
  return typeof what === "string" ? { artifact: what } : what;
}
