import { VouchsafeError } from "../errors.ts";
import { type Digest, type JsonObject, parseDigest } from "../in-toto-attestation/index.ts";
import type { LogEvent } from "./events.ts";

/** The policies and the trust that the wide events up to some point put in force. */
export interface InForce {
  readonly policySet: string | null;
  /** The document that holds the policy set's files. */
  readonly policyDocument: Digest | null;
  readonly trust: Digest | null;
}

export const NOTHING_IN_FORCE: InForce = { policySet: null, policyDocument: null, trust: null };

type Said = Pick<LogEvent, "type" | "body">;

/** What is in force after an event. */
export function inForceAfter(before: InForce, { type, body }: Said): InForce {
  switch (type) {
    case "policy.activated":
      return { ...before, policySet: text(body, "policySet"), policyDocument: digest(body, "document") };
    case "trust.activated":
      return { ...before, trust: digest(body, "trust") };
    default:
      return before;
  }
}

/** Something outside the log that an event rests on, by the sha256 of its bytes. */
export interface Reference {
  readonly case: "policy" | "trust" | "evidence";
  readonly hash: Digest;
}

/** What is needed to check an event again, besides the events before it. */
export function referencesOf({ type, body }: Said, inForce: InForce): Reference[] {
  switch (type) {
    case "evidence.accepted":
      return [
        { case: "trust", hash: digest(body, "trust") },
        { case: "evidence", hash: digest(body, "attestation") },
      ];
    case "verdict.passed":
    case "verdict.failed":
      return [
        ...(inForce.policyDocument === null
          ? []
          : [{ case: "policy" as const, hash: inForce.policyDocument }]),
        { case: "trust", hash: digest(body, "trust") },
      ];
    default:
      return [];
  }
}

/** Every reference of these events, each once, in the order in which the events need them. */
export function allReferences(events: readonly Said[]): Reference[] {
  return newReferences(events).flat();
}

/** For each event, what it needs and no event before it did. */
export function newReferences(events: readonly Said[]): Reference[][] {
  const seen = new Set<Digest>();
  let inForce = NOTHING_IN_FORCE;
  return events.map((event) => {
    const fresh = referencesOf(event, inForce).filter(({ hash }) => !seen.has(hash));
    for (const { hash } of fresh) seen.add(hash);
    inForce = inForceAfter(inForce, event);
    return fresh;
  });
}

/** A member of a body that must be text. Throws `malformed-leaf`. */
export function text(body: JsonObject, name: string): string {
  const value = body[name];
  if (typeof value !== "string")
    throw new VouchsafeError("malformed-leaf", `The event's body has no text "${name}".`);
  return value;
}

/** A member of a body that must be a digest. Throws `malformed-leaf`. */
export function digest(body: JsonObject, name: string): Digest {
  try {
    return parseDigest(text(body, name));
  } catch (cause) {
    throw new VouchsafeError("malformed-leaf", `The event's body has no digest "${name}".`, { cause });
  }
}
