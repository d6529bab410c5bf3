import type { JsonValue } from "../in-toto-attestation/types.ts";
import { createCalls } from "./calls.ts";
import { type EventsToFollow, followEvents } from "./follow-events.ts";
import type { ConsistencyProof, InclusionProof, LogWitnesses } from "./log-types.ts";
import { search } from "./paths.ts";
import type { Transport } from "./transport.ts";
import type { Receipt } from "./types.ts";

/** The client's methods for the log itself. */
export function logCalls(transport: Transport) {
  const { get, text, post } = createCalls(transport);
  return {
    /** The log's newest checkpoint, a C2SP signed note. */
    checkpoint: () => text("/log/checkpoint"),
    /** The log's active C2SP verifier keys, one a line, newest last. */
    logKey: async () => (await text("/log/key")).trim(),
    /** What proves, to who knows a key of the log, which are active: to be checked, and believed in nothing before. */
    logKeyProof: () => get<JsonValue>("/log/keys"),
    /** Who cosigns the log, and how far each has come. */
    logWitnesses: () => get<LogWitnesses>("/log/witnesses"),
    /** That an entry is in the tree of a size, the newest unless named. */
    proveInclusion: (query: { index: number; treeSize?: number }) =>
      get<InclusionProof>(`/log/proof/inclusion${search(query)}`),
    /** That the tree of one size, the newest unless named, extends that of another. */
    proveConsistency: (query: { from: number; to?: number }) =>
      get<ConsistencyProof>(`/log/proof/consistency${search(query)}`),
    /** Receipts for up to 256 events of the project, in the order asked for. */
    readReceipts: async (indexes: readonly number[]) =>
      (await post<{ receipts: readonly Receipt[] }>("/log/receipts", { indexes }, { repeatable: true }))
        .receipts,
    /** The project's events, each once and in the order of the log, for as long as they are read. */
    followEvents: (wanted: EventsToFollow = {}) => followEvents(transport, wanted),
    /** What a path answers, e.g. a tile of the log, if it has at most so many bytes; not looked into. */
    readBytes: async (path: string, maxBytes: number) =>
      (await transport({ method: "GET", path, maxBytes, repeatable: true })).bytes,
  };
}
