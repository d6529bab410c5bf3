import { isJsonObject, type JsonObject, type JsonValue } from "../../in-toto-attestation/index.ts";
import { listIn, textIn, timeIn } from "../body-fields.ts";
import type { EventType, LogEvent } from "../events.ts";
import type { DecisionLine, DenialLine, IdentityLine, Line } from "./custody-summary.ts";
import { type Listed, listed } from "./listed.ts";

interface Granted extends Omit<IdentityLine, "live" | "expiresAt" | "agentRevoked"> {
  /** By serial number, of those that had not ended at the last event: there are as many as live at once. */
  readonly ends: ReadonlyMap<string, number>;
  readonly lastEnd: number;
}

/**
 * Lines that many events come to: an artifact can be granted a new identity every minute on a thousand nodes. It is the same
 * in whatever order revocations of agents stand among the rest.
 */
export interface GrantLines {
  readonly readers: Readonly<Partial<Record<EventType, (event: LogEvent, line: Line) => void>>>;
  isGranted(spiffeId: string): boolean;
  /** @param now as of when identities live, in milliseconds since the epoch: not before the last event */
  read(now: number): {
    readonly identities: Listed<IdentityLine>;
    readonly denials: Listed<DenialLine>;
    readonly decisions: Listed<DecisionLine>;
  };
}

export function createGrantLines(): GrantLines {
  const identities = new Map<string, Granted>();
  /** Of agents, the events that revoked them. */
  const revocations = new Map<string, readonly number[]>();
  const denials = new Map<string, DenialLine>();
  const decisions = new Map<string, DecisionLine>();

  function addIdentity({ type, time, body }: LogEvent, line: Line): void {
    const [kind, spiffeId, requester] = [
      textIn(body, "kind"),
      textIn(body, "spiffeId"),
      textIn(body, "requester"),
    ];
    const key = JSON.stringify([kind, spiffeId, requester]);
    const before = identities.get(key);
    const expiresAt = timeIn(body, "expiresAt");
    const isRenewal = type === "identity.renewed";
    identities.set(key, {
      ...line,
      kind,
      spiffeId,
      requester,
      first: before?.first ?? line.index,
      granted: (before?.granted ?? 0) + (isRenewal ? 0 : 1),
      renewed: (before?.renewed ?? 0) + (isRenewal ? 1 : 0),
      revoked: before?.revoked ?? 0,
      revokedIndex: before?.revokedIndex ?? null,
      ends: new Map([...(before?.ends ?? [])].filter(([, end]) => end > time)).set(
        textIn(body, "serial"),
        expiresAt,
      ),
      lastEnd: Math.max(expiresAt, before?.lastEnd ?? 0),
    });
  }

  /** Those that were granted before what is told are not told of here either. */
  function addRevocation({ index, body }: LogEvent): void {
    for (const revoked of listIn(body, "identities").filter(isJsonObject)) {
      const [kind, spiffeId, requester] = [
        textIn(revoked, "kind"),
        textIn(revoked, "spiffeId"),
        textIn(revoked, "requester"),
      ];
      const key = JSON.stringify([kind, spiffeId, requester]);
      const before = identities.get(key);
      const ends = new Map(before?.ends);
      if (before === undefined || !ends.delete(textIn(revoked, "serial"))) continue;
      identities.set(key, { ...before, ends, revoked: before.revoked + 1, revokedIndex: index });
    }
  }

  function addDenial({ body }: LogEvent, line: Line): void {
    const requester = textIn(body, "requester");
    const codes = [...new Set(listIn(body, "reasons").map(codeOf))].sort();
    const key = JSON.stringify([requester, codes]);
    const before = denials.get(key);
    const first = before?.first ?? line.index;
    denials.set(key, { ...line, requester, codes, first, count: (before?.count ?? 0) + countIn(body) });
  }

  function addDecision({ body }: LogEvent, line: Line): void {
    const [issuer, grantedTo, decision] = [
      textIn(body, "issuer"),
      textIn(body, "grantedTo"),
      textIn(body, "decision"),
    ];
    const isSummary = body.summary !== undefined;
    const key = JSON.stringify([issuer, grantedTo, decision, isSummary]);
    const before = decisions.get(key);
    const first = before?.first ?? line.index;
    decisions.set(key, {
      ...line,
      issuer,
      grantedTo,
      decision,
      isSummary,
      first,
      count: (before?.count ?? 0) + 1,
    });
  }

  return {
    readers: {
      "identity.issued": addIdentity,
      "identity.renewed": addIdentity,
      "identity.revoked": addRevocation,
      "identity.denied": addDenial,
      "decision.recorded": addDecision,
      "agent.revoked": ({ index, body }) => {
        const agent = textIn(body, "agent");
        revocations.set(agent, [...(revocations.get(agent) ?? []), index]);
      },
    },
    isGranted: (spiffeId) => [...identities.values()].some((line) => line.spiffeId === spiffeId),
    read: (now) => ({
      identities: listed(
        [...identities.values()].map(({ ends, lastEnd, ...line }) => ({
          ...line,
          live: [...ends.values()].filter((end) => end > now).length,
          expiresAt: new Date(lastEnd).toISOString(),
          agentRevoked: revocations.get(line.requester)?.find((index) => index > line.index) ?? null,
        })),
      ),
      denials: listed(denials.values()),
      decisions: listed(decisions.values()),
    }),
  };
}

function codeOf(reason: JsonValue): string {
  return isJsonObject(reason) ? textIn(reason, "code") : "";
}

function countIn({ count }: JsonObject): number {
  return typeof count === "number" ? count : 0;
}
