import { existsSync } from "node:fs";
import { decisiveChecks } from "../../policy/evaluation/decisive.ts";
import { explainPolicy, type Sentence } from "../../policy/explain.ts";
import type { VerificationPolicy } from "../../policy/policy.ts";
import type { Check, Evaluation } from "../../policy/types.ts";
import { readPolicyFiles, requirePolicy } from "../arguments/files.ts";
import { loadOrTell } from "../arguments/policies.ts";
import type { TrustOptions } from "../arguments/trust.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { short } from "../output/findings.ts";
import type { Mark, Terminal } from "../output/terminal.ts";
import type { Session } from "../session.ts";
import { UsageError } from "../usage-error.ts";
import { supportOf, type Verdict, verifyOffline } from "../verify/offline.ts";

export interface ExplainOptions extends Omit<TrustOptions, "key"> {
  readonly policyName?: string;
  readonly artifact?: string;
  readonly evidence?: readonly string[];
  readonly manifest?: readonly string[];
}

/** A sentence, and what the evidence that came nearest says to it. */
interface Explained extends Pick<Sentence, "section" | "text"> {
  readonly checks: readonly Check[];
}

/** Where policies are that are called by name. */
const POLICIES = "policies";

/** @param at now, in milliseconds since the epoch */
export async function explain(
  session: Pick<Session, "terminal" | "json">,
  argument: string,
  { policyName, artifact, evidence = [], ...files }: ExplainOptions,
  at: number,
): Promise<ExitCode> {
  const { terminal, json } = session;
  const isPath = existsSync(argument);
  const path = isPath ? argument : POLICIES;
  if (!existsSync(path))
    throw new UsageError(
      `There is no file ${argument}, and no directory ${POLICIES} here to have a policy of that name`,
    );
  const set = await loadOrTell(session, await readPolicyFiles([path]));
  if (set === undefined) return EXIT.refused;
  requirePolicy(set, [path]);
  const name = isPath ? policyName : argument;
  const policies = [...set.policies.values()].filter((policy) => name === undefined || policy.name === name);
  const [policy] = policies;
  if (policy === undefined) {
    throw new UsageError(`${path} has no policy ${name}; it has ${[...set.policies.keys()].join(", ")}`);
  }
  if (evidence.length === 0) {
    if (json) terminal.printJson({ policies: policies.map((one) => describe(one, explained(one, []))) });
    else for (const one of policies) tell(terminal, one, explained(one, []));
    return EXIT.ok;
  }
  if (artifact === undefined) {
    throw new UsageError("Evidence passes for one artifact: name it with --artifact FILE, or its digest");
  }
  if (policies.length > 1) {
    throw new UsageError(`--policy-name chooses one of ${policies.map((one) => one.name).join(", ")}`);
  }
  const options = { ...files, bundle: evidence, policy: [path], policyName: policy.name };
  const verdict = await verifyOffline(artifact, options, at);
  const evaluation = verdict.policy?.evaluation;
  const near = explained(policy, evaluation === undefined ? [] : decisiveChecks(evaluation));
  if (json) {
    const refused = refusedOf(verdict);
    terminal.printJson({
      ...describe(policy, near),
      outcome: evaluation?.outcome ?? "failed",
      evaluation,
      refused,
    });
  } else {
    tell(terminal, policy, near, evaluation);
    tellEnd(terminal, policy, verdict);
  }
  return verdict.verified ? EXIT.ok : EXIT.refused;
}

function describe({ name, description, hash, spec }: VerificationPolicy, sentences: readonly Explained[]) {
  return { policy: name, description, hash, mode: spec.mode, sentences };
}

function explained({ spec }: VerificationPolicy, checks: readonly Check[]): Explained[] {
  return explainPolicy(spec).map(({ section, text, asks }) => ({
    section,
    text,
    checks: checks.filter(({ check }) => asks(check)),
  }));
}

function tell(
  terminal: Terminal,
  { name, description, spec }: VerificationPolicy,
  sentences: readonly Explained[],
  evaluation?: Evaluation,
): void {
  terminal.print(description === undefined ? name : `${name}: ${description}`);
  if (spec.mode === "audit") {
    terminal.print("It is in audit mode: what it would deny is told and recorded, and not denied.");
  }
  terminal.print("An artifact passes when of one piece of evidence about it all of this is true:");
  const width = Math.max(...sentences.map(({ section }) => section.length));
  for (const { section, text, checks } of sentences) {
    const { sign, mark } = signOf(terminal, checks, evaluation);
    terminal.print(`${sign}${section.padEnd(width)}  ${text}`, mark);
    for (const { check, passed, expected, actual, attestation } of checks) {
      if (passed) continue;
      const where = attestation === undefined ? "" : ` (evidence ${short(attestation)})`;
      terminal.print(`      ${check}: expected ${expected}; found ${actual}${where}`);
    }
  }
  const asked = new Set(sentences.flatMap(({ checks }) => checks));
  // What no section asks: that there is evidence at all, by a digest that counts.
  for (const one of evaluation === undefined ? [] : decisiveChecks(evaluation)) {
    if (!asked.has(one)) terminal.print(`      ${one.check}: expected ${one.expected}; found ${one.actual}`);
  }
}

function signOf(
  terminal: Terminal,
  checks: readonly Check[],
  evaluation?: Evaluation,
): { sign: string; mark: Mark } {
  if (evaluation === undefined) return { sign: "  ", mark: "plain" };
  const [good, bad, none] = terminal.showsSymbols ? ["✓", "✗", "·"] : ["holds", "fails", "     "];
  const isMet = evaluation.outcome === "passed" || checks.every(({ passed }) => passed);
  if (checks.length === 0) return { sign: `  ${none} `, mark: "plain" };
  return isMet ? { sign: `  ${good} `, mark: "good" } : { sign: `  ${bad} `, mark: "bad" };
}

function tellEnd(terminal: Terminal, { name }: VerificationPolicy, verdict: Verdict): void {
  const refused = refusedOf(verdict);
  for (const { file, message, code } of refused) {
    terminal.print(`  ${file} does not count: ${message} (${code})`);
  }
  if (refused.length > 0) {
    terminal.note(
      "  Whose signatures count is for trust to say: give another with --trusted-root or --trust.",
    );
  }
  const evaluation = verdict.policy?.evaluation;
  const others = new Set(evaluation?.checks.flatMap(({ attestation }) => attestation ?? [])).size - 1;
  if (evaluation?.outcome === "failed" && others > 0) {
    terminal.print(
      `  ${others} more ${others === 1 ? "piece of evidence was" : "pieces of evidence were"} looked at`,
    );
  }
  terminal.print(`${verdict.verified ? "passed" : "failed"} ${name}`, verdict.verified ? "good" : "bad");
}

function refusedOf(verdict: Verdict): { file: string; code: string; message: string }[] {
  return [verdict.deciding, ...verdict.others].flatMap((piece) => {
    const { file, refusal } = piece;
    const counts = refusal === undefined || supportOf(verdict, piece) !== undefined;
    return counts ? [] : [{ file, code: refusal.code, message: refusal.message }];
  });
}
