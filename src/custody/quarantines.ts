import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { Digest } from "../in-toto-attestation/index.ts";
import { digestIn, textIn } from "./body-fields.ts";
import type { LogEvent } from "./events.ts";
import { parseQuarantineTarget, type QuarantineTarget } from "./quarantine-target.ts";
import { isOf, type Originated } from "./revocations.ts";

/** A quarantine that nobody lifted. */
export interface Quarantine {
  readonly id: string;
  readonly target: QuarantineTarget;
  readonly reason: string;
}

/** The quarantine that an event opens. Throws an error of ours for a body without its members. */
export function quarantineIn({ body }: Pick<LogEvent, "body">): Quarantine {
  // Of one artifact the body names it itself: so it has been since there were no rules.
  const target =
    body.target === undefined ? { artifact: digestIn(body, "artifact") } : parseQuarantineTarget(body.target);
  return { id: textIn(body, "id"), target, reason: textIn(body, "reason") };
}

/** Those that are open after an event, by their ids. Throws as `quarantineIn`. */
export function quarantinesAfter(
  before: ReadonlyMap<string, Quarantine>,
  event: Pick<LogEvent, "type" | "body">,
): ReadonlyMap<string, Quarantine> {
  switch (event.type) {
    case "quarantine.opened": {
      const quarantine = quarantineIn(event);
      return new Map([...before, [quarantine.id, quarantine]]);
    }
    case "quarantine.lifted": {
      const id = textIn(event.body, "id");
      return new Map([...before].filter(([key]) => key !== id));
    }
    default:
      return before;
  }
}

/**
 * Whether an artifact is in quarantine: it is named itself, or some evidence that was ever accepted about it comes from
 * there. It is what the log recorded that counts, and not what it is worth now: neither an expiry nor a revocation nor
 * other evidence takes an artifact out of its quarantine.
 */
export function holdsArtifact(
  target: QuarantineTarget,
  artifact: Digest,
  accepted: readonly Originated[],
): boolean {
  if ("artifact" in target) return target.artifact === artifact;
  if ("policy" in target || "spiffeId" in target || "serial" in target) return false;
  return accepted.some((said) => isOf(said, target));
}

/** Whether grants of this SPIFFE ID are denied, or such as take the place of this SVID. */
export function holdsIdentity(target: QuarantineTarget, spiffeId: SpiffeId, renews?: string): boolean {
  if ("spiffeId" in target) return target.spiffeId === spiffeId;
  return "serial" in target && target.serial === renews;
}
