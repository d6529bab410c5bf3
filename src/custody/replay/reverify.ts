import { hasCode } from "../../errors.ts";
import { type Digest, isJsonObject, type JsonObject } from "../../in-toto-attestation/index.ts";
import type { Evaluation } from "../../policy/types.ts";
import { approvalsBody } from "../approval-bodies.ts";
import { artifactsOf, signerName, summaryBody } from "../attestation-summary.ts";
import { digestIn, listIn, restsOnIn, textIn, timeIn } from "../body-fields.ts";
import { type EventType, type LogEvent, OF_OTHERS, PROJECT_CHAIN } from "../events.ts";
import { evidenceSetHash } from "../evidence-set.ts";
import type { PackedMaterial } from "../pack/packed-material.ts";
import {
  failure,
  notReVerifiable,
  type PackCheck,
  type PackCheckName,
  reasonOf,
  refuseUnless,
} from "../pack/report.ts";
import {
  replayApproval,
  replayApprovalWithdrawal,
  replayException,
  replayExceptionWithdrawal,
} from "./approvals.ts";
import { evaluateAgain } from "./evaluate-again.ts";
import {
  replayAgentRevocation,
  replayDecision,
  replayDenial,
  replayIdentity,
  replayIdentityRevocation,
} from "./grants.ts";
import { replayLifting, replayQuarantine } from "./quarantines.ts";
import { policiesInForce, refuseUnlessWide, sameJson } from "./replay.ts";
import { replayExpiry, replayHold, replayHoldRelease, replayRetentionClass } from "./retention.ts";
import { replayRevocation, replayWithdrawal } from "./revocations.ts";
import { type Standing, standingAfter, standingAtFirst } from "./standing.ts";
import { replayResumption, replaySuspension } from "./suspensions.ts";

/** Gives what can be said when the event holds; throws an error of ours when it does not. */
type ReplayOne = (event: LogEvent, standing: Standing) => string;

/**
 * How far a time that a body names may be from that of its event, in milliseconds: for nodes' clocks that differ, and for what it takes
 * to get into the log. Whoever may name any time has expired keys and passes that have run out count again.
 */
const RECORDED_WITHIN = 3_600_000;

const REPLAYS: ReadonlyMap<EventType, readonly [PackCheckName, ReplayOne]> = new Map([
  ["policy.activated", ["activation", replayPolicies]],
  ["trust.activated", ["activation", replayTrust]],
  ["project.suspended", ["activation", replaySuspension]],
  ["project.resumed", ["activation", replayResumption]],
  ["evidence.accepted", ["evidence", replayEvidence]],
  ["hold.placed", ["retention", replayHold]],
  ["hold.released", ["retention", replayHoldRelease]],
  ["retention.assigned", ["retention", replayRetentionClass]],
  ["evidence.expired", ["expiry", replayExpiry]],
  ["containment.recorded", ["containment", replayContainment]],
  ["verdict.passed", ["verdict", replayVerdict]],
  ["verdict.failed", ["verdict", replayVerdict]],
  ["quarantine.opened", ["quarantine", replayQuarantine]],
  ["quarantine.lifted", ["quarantine", replayLifting]],
  ["evidence.revoked", ["revocation", replayRevocation]],
  ["revocation.withdrawn", ["revocation", replayWithdrawal]],
  ["approval.granted", ["approval", replayApproval]],
  ["approval.withdrawn", ["approval", replayApprovalWithdrawal]],
  ["exception.granted", ["exception", replayException]],
  ["exception.withdrawn", ["exception", replayExceptionWithdrawal]],
  ["identity.issued", ["identity", replayIdentity]],
  ["identity.renewed", ["identity", replayIdentity]],
  ["identity.denied", ["identity", replayDenial]],
  ["identity.revoked", ["identity", replayIdentityRevocation]],
  ["agent.revoked", ["identity", replayAgentRevocation]],
  ["decision.recorded", ["decision", replayDecision]],
]);

/** The replay of events that are proved and come in order. */
export interface Replay {
  proved(event: LogEvent): void;
  /** What stands after the last event. */
  standing(): Standing;
  checks(): readonly PackCheck[];
}

/**
 * Replays events: each change of policy and trust must name what it replaced, each
 * attestation must verify again from its bytes as of when it was accepted, each verdict must come out again from
 * what was in force and in evidence when it was made, and each identity must follow from them.
 *
 * @param related the other artifacts that the artifact's verdicts rest on
 */
export function createReplay(artifact: Digest, related: readonly Digest[], material: PackedMaterial): Replay {
  const checks: PackCheck[] = [];
  let standing = standingAtFirst(artifact, related, material);
  return {
    proved(event) {
      const { index, type } = event;
      const [check, replay] = REPLAYS.get(type) ?? [];
      if (check === undefined || replay === undefined || !concerns(artifact, event)) return;
      const before = standing;
      try {
        standing = standingAfter(before, event);
        const statement = `Event ${index}: ${replay(event, before)}`;
        checks.push({ check, status: "holds", statement, event: index });
      } catch (error) {
        checks.push(notHolding(check, event, error));
      }
    },
    standing: () => standing,
    checks: () => checks,
  };
}

function notHolding(check: PackCheckName, { index, type }: LogEvent, error: unknown): PackCheck {
  const reason = reasonOf(error);
  return hasCode(error, "evidence-expired")
    ? notReVerifiable(check, `Event ${index} (${type}) cannot be verified again: ${reason}.`, index)
    : failure(check, `Event ${index} (${type}) does not hold: ${reason}.`, index);
}

function concerns(artifact: Digest, { type, about }: LogEvent): boolean {
  return OF_OTHERS.includes(type) || about.includes(artifact) || about.includes(PROJECT_CHAIN);
}

function replayPolicies(event: LogEvent, { inForce }: Standing): string {
  const { body } = event;
  refuseUnlessWide(event);
  refuseUnless(
    body.previous === inForce.policySet,
    "it names another policy set than the one that it replaced",
  );
  return `the policy set ${textIn(body, "policySet")} replaced ${inForce.policySet ?? "none"}.`;
}

function replayTrust(event: LogEvent, { inForce }: Standing): string {
  const { body } = event;
  refuseUnlessWide(event);
  refuseUnless(
    body.previous === inForce.trust,
    "it names another trust snapshot than the one that it replaced",
  );
  return `the trust snapshot ${textIn(body, "trust")} replaced ${inForce.trust ?? "none"}.`;
}

function replayEvidence({ about, body, time }: LogEvent, standing: Standing): string {
  const { inForce, material } = standing;
  const verifiedAt = timeIn(body, "verifiedAt");
  refuseUnless(
    Math.abs(time - verifiedAt) <= RECORDED_WITHIN,
    "it was verified as of another time than it was recorded",
  );
  const trust = digestIn(body, "trust");
  refuseUnless(trust === inForce.trust, "the trust snapshot that it was accepted under was not in force");
  const id = digestIn(body, "attestation");
  refuseUnless(material.mediaType(id) === body.mediaType, "the file gives the evidence another media type");
  const { bytes } = material.evidence(id);
  const verified = material.verified(id, trust, verifiedAt);
  const said = { ...summaryBody(verified), size: bytes.length };
  const recorded = pick(body, Object.keys(said));
  refuseUnless(sameJson(recorded, said), "the evidence says other things than were recorded of it");
  refuseUnless(sameJson([...about], artifactsOf(verified)), "the evidence is about other artifacts");
  return `attestation ${id} about ${about.join(", ")} verifies as signed by ${signerName(verified.signer)}.`;
}

function replayContainment({ about, body }: LogEvent, { material, accepted }: Standing): string {
  const container = digestIn(body, "manifest");
  if (!accepted.has(container)) return `a manifest was recorded, on which nothing here rests: ${container}.`;
  const { contains, mediaType, size } = material.manifest(container);
  const recorded = pick(body, ["mediaType", "size", "contained"]);
  refuseUnless(
    sameJson(recorded, { mediaType, size, contained: [...contains] }),
    "the manifest says other things than were recorded of it",
  );
  refuseUnless(sameJson([...about], [container, ...contains]), "it stands in other chains than it concerns");
  return `by its manifest, ${container} contains ${contains.join(", ")}.`;
}

function replayVerdict({ type, time, body }: LogEvent, standing: Standing): string {
  const { artifact, inForce, accepted } = standing;
  const name = textIn(body, "policy");
  refuseUnless(textIn(body, "policySet") === inForce.policySet, "its policy set was not in force");
  refuseUnless(digestIn(body, "trust") === inForce.trust, "its trust snapshot was not in force");
  const policy = policiesInForce(standing).policies.get(name);
  refuseUnless(
    policy !== undefined && policy.hash === textIn(body, "policyHash"),
    `its policy ${name} is another`,
  );

  const judged = listIn(body, "artifacts").find((item) => isJsonObject(item) && item.digest === artifact);
  const evidenceSet = evidenceSetHash((accepted.get(artifact) ?? []).map(({ id }) => id));
  refuseUnless(
    isJsonObject(judged) && judged.evidenceSet === evidenceSet,
    "it was not made from all evidence of the artifact",
  );

  const validUntil = body.validUntil === null ? null : timeIn(body, "validUntil");
  // The event was recorded a moment after the verdict was made: a pass may have run out in between.
  const madeAt = validUntil === null ? time : Math.min(time, validUntil - 1);
  refuseUnless(time - madeAt <= RECORDED_WITHIN, "it had run out long before it was recorded");
  const restsOn = restsOnIn(body);
  const again = evaluateAgain(standing, policy, madeAt, restsOn);
  const outcome = type === "verdict.passed" ? "passed" : "failed";
  const recorded = {
    outcome,
    ...pick(body, ["slsaLevel", "attestations", "validUntil", "approvals"]),
    restsOn,
  };
  refuseUnless(
    sameJson(recorded, outcomeOf(again)),
    `evaluated again, ${name} ${again.outcome} and not as recorded`,
  );
  return `policy ${name} ${outcome} for ${artifact} at SLSA level ${again.slsaLevel}, and does so again.`;
}

function outcomeOf({
  outcome,
  slsaLevel,
  attestations,
  validUntil,
  restsOn,
  approvals,
}: Evaluation): JsonObject {
  return {
    outcome,
    slsaLevel,
    attestations,
    validUntil: validUntil === undefined ? null : rfc3339(validUntil),
    restsOn,
    approvals: approvals === undefined ? null : approvalsBody(approvals),
  };
}

function rfc3339(time: number): string {
  return new Date(time).toISOString();
}

function pick(body: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, body[name] ?? null]));
}
