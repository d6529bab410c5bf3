import type { LogEvent } from "../custody/events.ts";
import { isJsonObject, type JsonObject } from "../in-toto-attestation/index.ts";
import type { Glob } from "../policy/glob.ts";
import type { Alarm } from "./alarm.ts";

/** What somebody wants to be called for. Patterns are policies' own: exact, or anchored globs. */
export interface Watch {
  /** Chains: digests, or `*` for the project's changes of policy and trust. Any event of theirs. */
  readonly digests: ReadonlySet<string>;
  /** Certificates' identities or keys' names: evidence accepted from them, and what revokes it or puts it into quarantine. */
  readonly signers: readonly Glob[];
  /** SPIFFE IDs: identities granted, renewed, revoked or denied to them or asked for by them, quarantines of them, and agents. */
  readonly identities: readonly Glob[];
}

/** An alarm for each thing watched that the event is about. */
export function watchedIn(event: LogEvent, watch: Watch): Alarm[] {
  const { index, type, about, body } = event;
  const target = isJsonObject(body.target) ? body.target : {};
  const signer = type === "evidence.accepted" ? body.signer : target.signer;
  const signers = isJsonObject(signer) ? [signer.identity, signer.name, signer.key] : [];
  const identities = /^(identity|agent)\./.test(type)
    ? [body, ...revokedIn(body)].flatMap(({ spiffeId, requester, agent }) => [spiffeId, requester, agent])
    : [target.spiffeId];
  const found = [
    ...about.filter((key) => watch.digests.has(key)),
    ...matching(watch.signers, signers),
    ...matching(watch.identities, identities),
  ];
  return [...new Set(found)].map((what) => ({
    alarm: "watched",
    index,
    message: `Entry ${index} (${type}) is about ${what}${inCustodyOf(about.filter((key) => key !== what))}.`,
  }));
}

/** Those that one event revokes, of which there can be hundreds. */
function revokedIn({ identities }: JsonObject): JsonObject[] {
  return Array.isArray(identities) ? identities.filter(isJsonObject) : [];
}

/** Where to look further: an event can be about thousands of artifacts. */
function inCustodyOf(artifacts: LogEvent["about"]): string {
  const [first, ...others] = artifacts;
  if (first === undefined) return "";
  return `, in the chain of ${first}${others.length > 0 ? ` and ${others.length} more` : ""}`;
}

function matching(patterns: readonly Glob[], names: readonly unknown[]): string[] {
  return names.filter(
    (name): name is string => typeof name === "string" && patterns.some((pattern) => pattern.matches(name)),
  );
}
