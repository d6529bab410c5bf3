import type { Digest } from "../in-toto-attestation/types.ts";
import { assertVerified, type VerifiedAttestation } from "../verify/verified-attestation.ts";
import { tallyApprovals } from "./approvals.ts";
import { ruleOf } from "./builder.ts";
import { evaluateStated } from "./evaluate.ts";
import { approversText, shownList } from "./evaluation/check-text.ts";
import { decisiveChecks } from "./evaluation/decisive.ts";
import type { Sayings } from "./facts.ts";
import { compileGlob } from "./glob.ts";
import type { PolicySet } from "./load.ts";
import type { VerificationPolicy } from "./policy.ts";
import { questionAmong } from "./question.ts";
import { sayingsOf } from "./stated-evidence.ts";
import type { Expected, TestCase, TestedKind } from "./test-file.ts";
import type { Evaluation } from "./types.ts";

/** What a policy says of a case. */
export interface CaseResult {
  readonly passed: boolean;
  /** In the words of what was expected. */
  readonly found: Expected;
  readonly evaluation: Evaluation;
}

const ANYTHING = compileGlob("**");

/** What a test names; a builder as a policy that takes whatever it built, from whomever may speak for it. */
export function testedPolicy(set: PolicySet, kind: TestedKind, name: string): VerificationPolicy | undefined {
  if (kind === "VerificationPolicy") return set.policies.get(name);
  const builder = set.builders.get(name);
  return (
    builder && {
      ...builder,
      spec: {
        mode: "enforce",
        artifacts: { names: [ANYTHING] },
        signers: builder.spec.signers,
        builders: [ruleOf(builder)],
        externalParameters: { require: new Map(), allow: new Map(), ignore: [ANYTHING] },
        rules: [],
        evidence: [],
        joins: [],
      },
    }
  );
}

/**
 * Holds the policy to a case. A denial must be by the very checks that are expected, all of them: by others it would
 * say nothing about those that the case is there for. Only those of the evidence that came nearest count.
 *
 * What is stated takes the way of verified evidence from where verification ends: through the Statement that would
 * have been signed, and through the same facts and checks.
 *
 * @param verified the evidence that the case has in files
 */
export function runCase(
  policy: VerificationPolicy,
  { evidence, manifests, approvals, time, expected }: TestCase,
  artifact: Digest,
  verified: readonly VerifiedAttestation[],
): CaseResult {
  for (const attestation of verified) assertVerified(attestation);
  const stated = evidence.flatMap((one) => {
    const said = one.case === "stated" ? sayingsOf(one.stated, { artifact, time }) : "in a file";
    return typeof said === "string" ? [] : [said];
  });
  const question = questionAmong<Sayings>([policy], artifact, [...verified, ...stated], manifests);
  const evaluation = withApprovals(policy, evaluateStated(policy, question, time), approvals, time);
  const failing = decisiveChecks(evaluation)
    .filter(({ passed }) => !passed)
    .map(({ check }) => check);
  const isAllowed = evaluation.outcome === "passed";
  const found: Expected = {
    outcome: isAllowed ? "allow" : "deny",
    failing: isAllowed ? [] : [...new Set(failing)].sort(),
  };
  return { passed: isSame(found, expected), found, evaluation };
}

/** As decisions have it, by one check: a pass that waits for approvals is no pass. */
function withApprovals(
  { name, hash, spec: { approvals: rule } }: VerificationPolicy,
  pass: Evaluation,
  approvers: readonly string[],
  time: number,
): Evaluation {
  if (rule === undefined || pass.outcome === "failed") return pass;
  const { attestations } = pass;
  const of = { policy: name, policyHash: hash, attestations };
  const granted = approvers.map((approver) => ({ ...of, id: approver, approver, grantedAt: time }));
  const { counted } = tallyApprovals(rule, { ...pass, ...of }, granted, time);
  const check = {
    check: "approvals",
    passed: counted.length >= rule.required,
    expected: `${rule.required} by ${approversText(rule)}`,
    actual: shownList(counted.map(({ approver }) => approver)),
  };
  const checks = [...pass.checks, check];
  return check.passed ? { ...pass, checks } : { ...pass, outcome: "failed", slsaLevel: 0, checks };
}

function isSame(a: Expected, b: Expected): boolean {
  return a.outcome === b.outcome && a.failing.join("\n") === b.failing.join("\n");
}
