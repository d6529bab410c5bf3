import { hasCode } from "../../errors.ts";
import type { Digest } from "../../in-toto-attestation/index.ts";
import { appliesTo } from "../../policy/evaluate.ts";
import type { PolicySet } from "../../policy/load.ts";
import type { VerificationPolicy } from "../../policy/policy.ts";
import type { TrustSnapshot } from "../../trust/snapshot.ts";
import { orUndefined } from "../../verify/format-errors.ts";
import { signerName } from "../attestation-summary.ts";
import { digestIn, timeIn } from "../body-fields.ts";
import type { LogEvent } from "../events.ts";
import type { PackedMaterial } from "../pack/packed-material.ts";
import { failure, notReVerifiable, type PackCheck, reasonOf } from "../pack/report.ts";
import { evaluateAgain, questionAgain } from "./evaluate-again.ts";
import { approvedUntil, policiesInForce, quarantinedAmong } from "./replay.ts";
import type { Standing } from "./standing.ts";

/** What an auditor believes in the place of what the file brings along. */
export interface AuditorsView {
  readonly trust?: TrustSnapshot;
  readonly policies?: PolicySet;
}

/** What the file shows to somebody who believes other roots and other policies than the log's operator did. */
export interface AuditorsCheck {
  proved(event: LogEvent): void;
  /** @param standing after the last event */
  checks(standing: Standing): readonly PackCheck[];
}

/**
 * Each attestation is verified under the given trust at its own time, and the artifact is judged by the given policies, or by
 * those in force, as of the last event. Beside what held then, which the other checks say.
 */
export function createAuditorsCheck(view: AuditorsView, material: PackedMaterial): AuditorsCheck {
  const { policies } = view;
  const attestations: PackCheck[] = [];
  let now = 0;
  const trust = view.trust && material.believe(view.trust);
  return {
    proved(event) {
      now = event.time;
      if (trust === undefined || event.type !== "evidence.accepted") return;
      // An event without the members of its type is reported where it is verified again.
      const check = orUndefined(() => verifiedUnder(trust, event, material));
      if (check !== undefined) attestations.push(check);
    },
    checks(standing) {
      if (trust === undefined && policies === undefined) return [];
      const inForce = { ...standing.inForce, trust: trust ?? standing.inForce.trust };
      const seen = { ...standing, inForce };
      try {
        const set = policies ?? policiesInForce(standing);
        return [...attestations, ...judged(seen, set, now, trust !== undefined)];
      } catch (error) {
        return [...attestations, failure("policy", `The artifact cannot be judged: ${reasonOf(error)}.`)];
      }
    },
  };
}

function verifiedUnder(trust: Digest, { index, body }: LogEvent, material: PackedMaterial): PackCheck {
  const id = digestIn(body, "attestation");
  const name = `Event ${index}: attestation ${id}`;
  try {
    const { signer } = material.verified(id, trust, timeIn(body, "verifiedAt"));
    const statement = `${name} verifies under the trust given, as signed by ${signerName(signer)}.`;
    return { check: "trusted-root", status: "holds", statement, event: index };
  } catch (error) {
    const reason = reasonOf(error);
    return hasCode(error, "evidence-expired")
      ? notReVerifiable("trusted-root", `${name} cannot be verified under the trust given: ${reason}.`, index)
      : failure("trusted-root", `${name} does not verify under the trust given: ${reason}.`, index);
  }
}

/** By each policy that the artifact has a verdict of, and by each other that applies to it. */
function judged(
  standing: Standing,
  { policies }: PolicySet,
  now: number,
  isOwnTrust: boolean,
): readonly PackCheck[] {
  const { artifact, verdicts, accepted } = standing;
  const related = [...accepted.keys()].filter((digest) => digest !== artifact);
  const question = questionAgain(standing, related);
  const asked = [...policies.values()].filter(
    (policy) => verdicts.has(policy.name) || appliesTo(policy, question),
  );
  if (asked.length === 0)
    return [
      failure("policy", `None of the policies given is about ${artifact}, nor has its name a verdict.`),
    ];
  return asked.map((policy) => {
    const outcome = outcomeOf(standing, policy, now, related);
    const under = isOwnTrust ? ", under the trust given" : "";
    const statement = `Judged by the policy ${policy.name} (${policy.hash})${under}, ${artifact} ${outcome.says}; ${thenText(standing, policy.name)}.`;
    return { check: "policy", status: outcome.passed ? "holds" : "fails", statement };
  });
}

function outcomeOf(
  standing: Standing,
  policy: VerificationPolicy,
  now: number,
  related: readonly Digest[],
): { readonly passed: boolean; readonly says: string } {
  const evaluation = evaluateAgain(standing, policy, now, related);
  if (evaluation.outcome === "failed") {
    const failed = new Set(evaluation.checks.filter(({ passed }) => !passed).map(({ check }) => check));
    return { passed: false, says: `fails (${[...failed].join(", ")})` };
  }
  const says = `passes at SLSA level ${evaluation.slsaLevel}`;
  const until = approvedUntil([...standing.approvals.values()], policy, evaluation, now);
  return until === undefined
    ? { passed: false, says: `${says}, and is not approved as it asks` }
    : { passed: true, says };
}

/** What an auditor must not overlook beside the outcome: policies know nothing of quarantines. */
function thenText(standing: Standing, name: string): string {
  const quarantined = quarantinedAmong([...standing.accepted.keys()], standing);
  const denied = quarantined === undefined ? "" : `, and ${quarantined} is in quarantine`;
  return `${verdictText(standing, name)}${denied}`;
}

function verdictText({ verdicts }: Standing, name: string): string {
  const verdict = verdicts.get(name);
  if (verdict === undefined) return `the log has no verdict of ${name}`;
  return `the log's last verdict of ${name} ${verdict.passed ? "passed" : "failed"} (event ${verdict.index})`;
}
