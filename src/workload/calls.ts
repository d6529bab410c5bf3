import {
  Code,
  ConnectError,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import { VouchsafeError } from "../errors.ts";
import type { Peer } from "./attest.ts";
import { type AttestedWorkload, digestsOf } from "./attested-workload.ts";

/** What the agent's operator is told of one call. */
export type CallLogEntry =
  | {
      readonly event: "granted";
      readonly method: string;
      readonly pid: number;
      readonly digests: readonly string[];
      readonly spiffeIds: readonly string[];
    }
  | { readonly event: "refused"; readonly method: string; readonly pid: number; readonly reason: string }
  /** A proxy could not use what it was given. */
  | { readonly event: "rejected"; readonly method: string; readonly pid: number; readonly reason: string };

/** How the calls of every service on the socket are answered: failures become gRPC statuses, and the operator is told. */
export interface Calls {
  answer<T>(context: HandlerContext, make: () => Promise<T>): Promise<T>;
  stream<T>(context: HandlerContext, make: () => AsyncIterable<T>): AsyncGenerator<T>;
  granted(
    context: HandlerContext,
    workload: AttestedWorkload,
    svids: readonly { readonly spiffeId: string }[],
  ): void;
  rejected(context: HandlerContext, reason: string): void;
}

const callerKey = createContextKey<Peer | undefined>(undefined, { description: "caller" });

export function callerContext(peer: Peer) {
  return createContextValues().set(callerKey, peer);
}

/** The process that opened the connection of this call. */
export function callerOf(context: HandlerContext): Peer {
  const caller = context.values.get(callerKey);
  if (caller === undefined) throw new Error("a call without a caller");
  return caller;
}

export function openCalls(log: (entry: CallLogEntry) => void): Calls {
  const of = (context: HandlerContext) => ({ method: context.method.name, pid: callerOf(context).pid });

  function refusal(context: HandlerContext, error: unknown): ConnectError {
    const status = statusOf(error);
    const reason = `${Code[status.code]}: ${status.rawMessage}`;
    log({ event: "refused", ...of(context), reason });
    return status;
  }

  return {
    async answer(context, make) {
      return make().catch((error) => {
        throw refusal(context, error);
      });
    },
    async *stream(context, make) {
      try {
        yield* make();
      } catch (error) {
        throw refusal(context, error);
      }
    },
    granted(context, workload, svids) {
      const spiffeIds = svids.map(({ spiffeId }) => spiffeId);
      log({ event: "granted", ...of(context), digests: digestsOf(workload), spiffeIds });
    },
    rejected: (context, reason) => log({ event: "rejected", ...of(context), reason }),
  };
}

/** SPIFFE_Workload_API.md §6.3. */
const CODES: ReadonlyMap<string, Code> = new Map([
  ["identity-denied", Code.PermissionDenied],
  ["invalid-request", Code.InvalidArgument],
  ["invalid-spiffe-id", Code.InvalidArgument],
  ["invalid-svid", Code.InvalidArgument],
]);

function statusOf(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  if (!(error instanceof VouchsafeError)) return new ConnectError("The agent failed", Code.Internal);
  // Whatever else the source says, there is no answer now: the workload may ask again.
  const code = CODES.get(error.code) ?? Code.Unavailable;
  const reasons = reasonsOf(error);
  const message = reasons === "" ? error.message : `${error.message} (${reasons})`;
  return new ConnectError(message, code, undefined, undefined, error);
}

/**
 * The codes of a denial's reasons, which programs may read: with spaces between them, because grpc-js leaves commas
 * as they are sent, percent-encoded.
 */
function reasonsOf({ extensions }: VouchsafeError): string {
  const reasons: readonly { readonly code?: unknown }[] = Array.isArray(extensions.reasons)
    ? extensions.reasons
    : [];
  return [...new Set(reasons.map(({ code }) => code).filter((code) => typeof code === "string"))].join(" ");
}
