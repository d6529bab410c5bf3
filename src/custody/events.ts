import type { Digest, JsonObject } from "../in-toto-attestation/types.ts";

/**
 * Event types and the byte that stands for each in a leaf. Numbers are for ever: a type is added at the end
 * and never renumbered.
 */
export const EVENT_TYPES = {
  "log.created": 1,
  "policy.activated": 2,
  "trust.activated": 3,
  "evidence.accepted": 4,
  "evidence.rejected": 5,
  "verdict.passed": 6,
  "verdict.failed": 7,
  "quarantine.opened": 8,
  "quarantine.lifted": 9,
  "decision.recorded": 10,
  "identity.issued": 11,
  "identity.renewed": 12,
  "identity.denied": 13,
  "agent.joined": 14,
  "authority.activated": 15,
  "agent.revoked": 16,
  "approval.granted": 17,
  "approval.withdrawn": 18,
  "exception.granted": 19,
  "exception.withdrawn": 20,
  "containment.recorded": 21,
  "log-key.added": 22,
  "log-key.retired": 23,
  "evidence.revoked": 24,
  "revocation.withdrawn": 25,
  "hold.placed": 26,
  "hold.released": 27,
  "retention.assigned": 28,
  "evidence.expired": 29,
  "authority.prepared": 30,
  "authority.retired": 31,
  "identity.revoked": 32,
  "project.created": 33,
  "project.suspended": 34,
  "project.resumed": 35,
} as const;

export type EventType = keyof typeof EVENT_TYPES;

/**
 * Types that tell what was done and change no decision: nothing that rests on a chain is made stale by them, so
 * that a thousand processes of one artifact can be granted identities at once.
 */
export const RECORDS: readonly EventType[] = [
  "decision.recorded",
  "identity.issued",
  "identity.renewed",
  "identity.denied",
  "identity.revoked",
];

/**
 * What a verdict can rest on of another artifact's chain, what keeps that, and so what belongs beside the chain of an artifact whose
 * verdicts rest on that one. The rest (its verdicts, identities, approvals) is told and judged in its own.
 */
export const OF_OTHERS: readonly EventType[] = [
  "evidence.accepted",
  "evidence.expired",
  "containment.recorded",
  "quarantine.opened",
  "quarantine.lifted",
  "hold.placed",
  "hold.released",
  "retention.assigned",
];

/** A project's opaque id: a random UUID that says nothing of its name. */
export type ProjectId = string & { readonly __project: unique symbol };

/** The id under which events of the whole installation (`log.created`) stand. */
export const INSTALLATION = "00000000-0000-0000-0000-000000000000" as ProjectId;

/**
 * What an event is chained by: an artifact's digest, or `*` for the chain of a project's wide events (policy,
 * trust), which touch every artifact of the project by rule and not by list.
 */
export type ChainKey = Digest | "*";
export const PROJECT_CHAIN: ChainKey = "*";

/** An event before the writer gave it its index, time, salt and links. */
export interface EventDraft {
  readonly type: EventType;
  /** The chains that it joins, without repeats. At most 4,096. */
  readonly about: readonly ChainKey[];
  readonly body: JsonObject;
}

/** An event as it stands in the log. */
export interface LogEvent {
  readonly index: number;
  readonly type: EventType;
  /** Milliseconds since the epoch; never smaller than the event before it. */
  readonly time: number;
  readonly project: ProjectId;
  /** The chains that it joins, in the order of `previous`. */
  readonly about: readonly ChainKey[];
  /** For each chain in `about`, the index of its event before this one, or null for its first. */
  readonly previous: readonly (number | null)[];
  readonly salt: Uint8Array;
  readonly body: JsonObject;
  /** The canonical bytes whose RFC 6962 leaf hash is in the tree. */
  readonly leaf: Uint8Array;
}
