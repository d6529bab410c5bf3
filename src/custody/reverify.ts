import { VouchsafeError } from "../errors.ts";
import {
  canonicalJson,
  type Digest,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../in-toto-attestation/index.ts";
import { evaluate } from "../policy/evaluate.ts";
import type { Evaluation } from "../policy/types.ts";
import type { Signer, VerifiedAttestation } from "../verify/verified-attestation.ts";
import { summarize, summaryBody } from "./attestation-summary.ts";
import { digestIn, listIn, textIn, timeIn } from "./body-fields.ts";
import type { EventType, LogEvent } from "./events.ts";
import { evidenceSetHash } from "./evidence-set.ts";
import type { Pack } from "./pack.ts";
import { failure, type PackCheck, type PackCheckName, reasonOf } from "./pack-report.ts";
import { openMaterial, type PackedMaterial } from "./packed-material.ts";
import { type InForce, inForceAfter, NOTHING_IN_FORCE } from "./references.ts";

/** What stands when the replay comes to an event. */
interface Standing {
  readonly artifact: Digest;
  readonly material: PackedMaterial;
  readonly inForce: InForce;
  /** The artifact's attestations so far. */
  readonly accepted: readonly { readonly id: Digest; readonly verifiedAt: number }[];
}

/** Gives what can be said when the event holds; throws an error of ours when it does not. */
type Replay = (event: LogEvent, standing: Standing) => string;

const REPLAYS: ReadonlyMap<EventType, readonly [PackCheckName, Replay]> = new Map([
  ["policy.activated", ["activation", replayPolicies]],
  ["trust.activated", ["activation", replayTrust]],
  ["evidence.accepted", ["evidence", replayEvidence]],
  ["verdict.passed", ["verdict", replayVerdict]],
  ["verdict.failed", ["verdict", replayVerdict]],
]);

/**
 * Replays events that are proved and in order: each change of policy and trust must name what it replaced, each
 * attestation must verify again from its bytes as of when it was accepted, and each verdict must come out again
 * from what was in force and in evidence when it was made.
 */
export function reverify({ artifact, records }: Pack, events: readonly LogEvent[]): PackCheck[] {
  const checks: PackCheck[] = [];
  let standing: Standing = {
    artifact,
    material: openMaterial(records),
    inForce: NOTHING_IN_FORCE,
    accepted: [],
  };
  for (const event of events) {
    const [check, replay] = REPLAYS.get(event.type) ?? [];
    if (check === undefined || replay === undefined) continue;
    let next = standing;
    try {
      next = standingAfter(standing, event);
      checks.push({
        check,
        ok: true,
        statement: `Event ${event.index}: ${replay(event, standing)}`,
        event: event.index,
      });
    } catch (error) {
      checks.push(
        failure(
          check,
          `Event ${event.index} (${event.type}) does not hold: ${reasonOf(error)}.`,
          event.index,
        ),
      );
    }
    standing = next;
  }
  return checks;
}

function standingAfter(standing: Standing, event: LogEvent): Standing {
  const { type, body } = event;
  const inForce = inForceAfter(standing.inForce, event);
  if (type !== "evidence.accepted") return { ...standing, inForce };
  const attestation = { id: digestIn(body, "attestation"), verifiedAt: timeIn(body, "verifiedAt") };
  return { ...standing, inForce, accepted: [...standing.accepted, attestation] };
}

function replayPolicies({ body }: LogEvent, { inForce }: Standing): string {
  refuseUnless(
    body.previous === inForce.policySet,
    "it names another policy set than the one that it replaced",
  );
  return `the policy set ${textIn(body, "policySet")} replaced ${inForce.policySet ?? "none"}.`;
}

function replayTrust({ body }: LogEvent, { inForce }: Standing): string {
  refuseUnless(
    body.previous === inForce.trust,
    "it names another trust snapshot than the one that it replaced",
  );
  return `the trust snapshot ${textIn(body, "trust")} replaced ${inForce.trust ?? "none"}.`;
}

function replayEvidence({ body }: LogEvent, standing: Standing): string {
  const { artifact, inForce, material } = standing;
  const trust = digestIn(body, "trust");
  refuseUnless(trust === inForce.trust, "the trust snapshot that it was accepted under was not in force");
  const id = digestIn(body, "attestation");
  const { bytes, mediaType } = material.evidence(id);
  const verified = material.verified(id, trust, timeIn(body, "verifiedAt"));
  const said = { ...summaryBody(summarize(verified)), size: bytes.length };
  const recorded = pick(body, Object.keys(said));
  refuseUnless(sameJson(recorded, said), "the evidence says other things than were recorded of it");
  refuseUnless(mediaType === verified.mediaType, "the file gives the evidence another media type");
  refuseUnless(
    verified.subjects.some(({ digests }) => digests.includes(artifact)),
    "the evidence is about other artifacts",
  );
  return `attestation ${id} about ${artifact} verifies as signed by ${signerName(verified.signer)}.`;
}

function signerName(signer: Signer): string {
  return signer.case === "key" ? `the key ${signer.name}` : `${signer.identity} (${signer.issuer})`;
}

function replayVerdict(
  { type, time, body }: LogEvent,
  { artifact, inForce, accepted, material }: Standing,
): string {
  const name = textIn(body, "policy");
  const trust = digestIn(body, "trust");
  refuseUnless(inForce.policyDocument !== null, "no policies were in force");
  refuseUnless(textIn(body, "policySet") === inForce.policySet, "its policy set was not in force");
  refuseUnless(trust === inForce.trust, "its trust snapshot was not in force");
  const policies = material.policies(inForce.policyDocument);
  refuseUnless(policies.hash === inForce.policySet, "the policy set in force has other policies");
  const policy = policies.policies.get(name);
  refuseUnless(
    policy !== undefined && policy.hash === textIn(body, "policyHash"),
    `its policy ${name} is another`,
  );

  const judged = listIn(body, "artifacts").find((item) => isJsonObject(item) && item.digest === artifact);
  const evidenceSet = evidenceSetHash(accepted.map(({ id }) => id));
  refuseUnless(
    isJsonObject(judged) && judged.evidenceSet === evidenceSet,
    "it was not made from all evidence of the artifact",
  );

  const validUntil = body.validUntil === null ? null : timeIn(body, "validUntil");
  // The event was recorded a moment after the verdict was made: a pass may have run out in between.
  const madeAt = validUntil === null ? time : Math.min(time, validUntil - 1);
  const evidence = accepted.flatMap(({ id, verifiedAt }) =>
    verifiedIfItStillIs(material, id, trust, verifiedAt),
  );
  const again = evaluate(policy, artifact, evidence, madeAt);
  const outcome = type === "verdict.passed" ? "passed" : "failed";
  const recorded = { outcome, ...pick(body, ["slsaLevel", "attestations", "validUntil"]) };
  refuseUnless(
    sameJson(recorded, outcomeOf(again)),
    `evaluated again, ${name} ${again.outcome} and not as recorded`,
  );
  return `policy ${name} ${outcome} for ${artifact} at SLSA level ${again.slsaLevel}, and does so again.`;
}

/** Evidence that a later trust snapshot no longer believes counts in no verdict under it. */
function verifiedIfItStillIs(
  material: PackedMaterial,
  id: Digest,
  trust: Digest,
  at: number,
): VerifiedAttestation[] {
  material.evidence(id);
  material.trust(trust);
  try {
    return [material.verified(id, trust, at)];
  } catch (error) {
    if (error instanceof VouchsafeError) return [];
    throw error;
  }
}

function outcomeOf({ outcome, slsaLevel, attestations, validUntil }: Evaluation): JsonObject {
  return {
    outcome,
    slsaLevel,
    attestations,
    validUntil: validUntil === undefined ? null : rfc3339(validUntil),
  };
}

function rfc3339(time: number): string {
  return new Date(time).toISOString();
}

function pick(body: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, body[name] ?? null]));
}

function sameJson(a: JsonValue, b: JsonValue): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

function refuseUnless(condition: boolean, message: string): asserts condition {
  if (!condition) throw new VouchsafeError("pack-invalid", message);
}
