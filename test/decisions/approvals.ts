import type { Decision, DecisionInput, StandingVerdict } from "../../src/decisions/decide.ts";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import type { Approval } from "../../src/policy/approvals.ts";
import type { Exception } from "../../src/policy/exceptions.ts";
import { compileGlob } from "../../src/policy/glob.ts";
import type { ApprovalRule } from "../../src/policy/policy.ts";
import type { EvidenceOnApproval } from "../../src/policy/types.ts";

export const NOW = Date.UTC(2026, 0, 1);
export const HOUR = 3_600_000;
export const DIGEST = sha256("artifact");
export const [PROVENANCE, SCAN, LATER_SCAN] = [sha256("provenance"), sha256("scan"), sha256("later scan")];

/** Two people of these three, each for a day. */
const RULE: ApprovalRule = {
  required: 2,
  from: [
    ...["alice", "bob", "carol@acme.example", "release-bot"].map((name) => ({
      case: "token" as const,
      name: compileGlob(name),
    })),
    { case: "key", name: "carol" },
  ],
  expiresAfter: 24 * HOUR,
};
export const OF_EVIDENCE: EvidenceOnApproval = {
  actors: ["https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1", "Mallory"],
  attested: [],
};

export function verdict(over: Partial<StandingVerdict> = {}): StandingVerdict {
  return {
    artifact: DIGEST,
    policy: "release",
    policyHash: "sha256:policy",
    trustHash: "sha256:trust",
    evidenceSet: "sha256:set",
    outcome: "passed",
    slsaLevel: 3,
    attestations: [PROVENANCE, SCAN],
    checks: [],
    approvals: OF_EVIDENCE,
    restsOn: [],
    isOvertaken: false,
    asOf: 0,
    index: 7,
    ...over,
  };
}

export function approval(approver: string, over: Partial<Approval> = {}): Approval {
  return {
    id: `by ${approver}`,
    policy: "release",
    policyHash: "sha256:policy",
    attestations: [SCAN, PROVENANCE],
    approver,
    grantedAt: NOW - HOUR,
    ...over,
  };
}

export function exception(over: Partial<Exception> = {}): Exception {
  return { id: "x1", policy: "release", owner: "dana", reason: "outage", expiresAt: NOW + HOUR, ...over };
}

export function input(over: Partial<DecisionInput> = {}): DecisionInput {
  return {
    digest: DIGEST,
    policies: ["release"],
    inForce: {
      policies: new Map([["release", { hash: "sha256:policy", spec: { mode: "enforce", approvals: RULE } }]]),
      trust: "sha256:trust",
      holding: new Set(["sha256:trust"]),
      revocationsAsOf: 0,
      isSuspended: false,
    },
    verdicts: [verdict()],
    quarantines: [],
    approvals: [approval("alice"), approval("bob")],
    exceptions: [],
    ...over,
  };
}

export function codes({ reasons }: Decision): string[] {
  return reasons.map(({ code }) => code);
}
