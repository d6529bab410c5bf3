import type { Digest } from "../in-toto-attestation/index.ts";
import { digestIn, restsOnIn, textIn } from "./body-fields.ts";
import { type ChainKey, type LogEvent, PROJECT_CHAIN } from "./events.ts";

/** What the wide events up to some point put in force: policies, trust, and whether the project may be used. */
export interface InForce {
  readonly policySet: string | null;
  /** The document that holds the policy set's files. */
  readonly policyDocument: Digest | null;
  readonly trust: Digest | null;
  /** Whether the project may be used no longer: all of it is denied. */
  readonly isSuspended: boolean;
}

export const NOTHING_IN_FORCE: InForce = {
  policySet: null,
  policyDocument: null,
  trust: null,
  isSuspended: false,
};

type Said = Pick<LogEvent, "type" | "body">;

/** What is in force after an event. */
export function inForceAfter(before: InForce, { type, body }: Said): InForce {
  switch (type) {
    case "policy.activated":
      return { ...before, policySet: textIn(body, "policySet"), policyDocument: digestIn(body, "document") };
    case "trust.activated":
      return { ...before, trust: digestIn(body, "trust") };
    case "project.suspended":
      return { ...before, isSuspended: true };
    case "project.resumed":
      return { ...before, isSuspended: false };
    default:
      return before;
  }
}

/** Something outside the log that an event rests on, by the sha256 of its bytes. */
export interface Reference {
  readonly case: "policy" | "trust" | "evidence" | "manifest";
  readonly hash: Digest;
}

export function referenceName({ case: kind, hash }: Reference): string {
  return `${kind} ${hash}`;
}

/** What came into the log with an event, beside it: undefined where that is nothing. Throws `malformed-leaf`. */
export function broughtBy({ type, body }: Said): Reference | undefined {
  switch (type) {
    case "evidence.accepted":
      return { case: "evidence", hash: digestIn(body, "attestation") };
    case "containment.recorded":
      return { case: "manifest", hash: digestIn(body, "manifest") };
    case "policy.activated":
      return { case: "policy", hash: digestIn(body, "document") };
    case "trust.activated":
      return { case: "trust", hash: digestIn(body, "trust") };
    default:
      return undefined;
  }
}

/**
 * What is needed to check an event again, besides the events before it.
 *
 * @param judged the artifact that is judged, and those that its verdicts rest on: of others no manifest is needed, and there can
 *   be any number that hold a layer
 */
function referencesOf({ type, body }: Said, inForce: InForce, judged: ReadonlySet<Digest>): Reference[] {
  switch (type) {
    case "evidence.accepted":
      return [
        { case: "trust", hash: digestIn(body, "trust") },
        { case: "evidence", hash: digestIn(body, "attestation") },
      ];
    case "containment.recorded": {
      const manifest = digestIn(body, "manifest");
      return judged.has(manifest) ? [{ case: "manifest", hash: manifest }] : [];
    }
    case "verdict.passed":
    case "verdict.failed":
    case "identity.issued":
    case "identity.renewed":
      return [
        ...(inForce.policyDocument === null
          ? []
          : [{ case: "policy" as const, hash: inForce.policyDocument }]),
        { case: "trust", hash: digestIn(body, "trust") },
      ];
    case "approval.granted":
    case "retention.assigned":
    case "evidence.expired":
      return inForce.policyDocument === null ? [] : [{ case: "policy", hash: inForce.policyDocument }];
    case "decision.recorded":
      return inForce.policyDocument === null || inForce.trust === null
        ? []
        : [
            { case: "policy", hash: inForce.policyDocument },
            { case: "trust", hash: inForce.trust },
          ];
    default:
      return [];
  }
}

/**
 * The other artifacts that an artifact's verdicts rest on, and whose chains are needed to judge it again: those that one event
 * adds, in any order and any number of times. Throws `malformed-leaf`.
 */
export function relatedBy(artifact: Digest, { type, about, body }: LogEvent): Digest[] {
  if ((type !== "verdict.passed" && type !== "verdict.failed") || !about.includes(artifact)) return [];
  return restsOnIn(body).filter((digest) => digest !== artifact);
}

/**
 * The other chain by which an event belongs beside an artifact's own: that of one that its verdicts rest on, or the wide
 * one. Undefined for an event of its own.
 */
export function otherChain(
  artifact: Digest,
  related: readonly Digest[],
  about: readonly ChainKey[],
): ChainKey | undefined {
  if (about.includes(artifact)) return undefined;
  return about.find((key) => key === PROJECT_CHAIN || related.some((other) => other === key));
}

/**
 * Gives, for one event after the other in the order of the log, what it needs and no event before it did. Throws
 * `malformed-leaf` for an event without the members of its type.
 */
export function createNeeds(artifact: Digest, related: readonly Digest[]): (event: Said) => Reference[] {
  const judged = new Set([artifact, ...related]);
  // By both: an envelope takes members that it does not know, so that the same bytes can be evidence and a manifest.
  const seen = new Set<string>();
  let inForce = NOTHING_IN_FORCE;
  return (event) => {
    const needed = referencesOf(event, inForce, judged);
    inForce = inForceAfter(inForce, event);
    const fresh = needed.filter((reference) => !seen.has(referenceName(reference)));
    for (const reference of fresh) seen.add(referenceName(reference));
    return fresh;
  };
}
