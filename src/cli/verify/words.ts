import { algorithmOf } from "../../in-toto-attestation/digest.ts";
import type { ChecklistStep, Outcome } from "../../verify/checklist.ts";
import type { Signer } from "../../verify/verified-attestation.ts";
import { printChecks, short } from "../output/findings.ts";
import type { Mark, Terminal } from "../output/terminal.ts";
import { adviceFor, optionsFor } from "./advice.ts";
import { type ExaminedPiece, type PolicyVerdict, supportOf, type Verdict } from "./offline.ts";
import { failedStep, reportOf, rfc3339, type Step } from "./report.ts";

const SYMBOLS: Readonly<Record<Outcome, string>> = {
  passed: "✓",
  failed: "✗",
  "not-needed": "–",
  "not-reached": "·",
};

/** The same where there is no terminal, or only ASCII. */
const LABELS: Readonly<Record<Outcome, string>> = {
  passed: "holds",
  failed: "fails",
  "not-needed": "     ",
  "not-reached": "     ",
};

const MARKS: Readonly<Record<Outcome, Mark>> = {
  passed: "good",
  failed: "bad",
  "not-needed": "plain",
  "not-reached": "plain",
};

const STEP_WIDTH = "certificate".length;

/** What each step found, a line each, where it passed. */
const FOUND: Readonly<Record<ChecklistStep, (piece: ExaminedPiece) => readonly string[]>> = {
  format: ({ signature, id }) => [signature?.mediaType ?? `evidence ${short(id)}`],
  time: ({ findings }) =>
    findings.times.map(({ source, name, time }) =>
      source === "log"
        ? `${rfc3339(time)} by the log ${name}`
        : `${rfc3339(time)} by the timestamp authority ${brief(name)}`,
    ),
  certificate: ({ findings }) => [`issued by ${findings.chain.join(", by ")}`],
  sct: ({ findings }) => findings.scts.map(({ log, time }) => `${rfc3339(time)} by the log ${brief(log)}`),
  log: ({ findings }) =>
    findings.logEntries.map(
      ({ log, logIndex, kind, proven }) =>
        `${log} entry${logIndex === undefined ? "" : ` ${logIndex}`}, ${kind}, ${proven ? "proven to be included" : "by the log's promise alone"}`,
    ),
  signature: ({ signature }) => [
    signature?.signer.case === "key"
      ? "of the key over the content"
      : "of the certificate's key over the content",
  ],
  identity: ({ signature }) => (signature ? [describeSigner(signature.signer)] : []),
  statement: ({ attestation }) => [attestation?.statement?.predicateType ?? ""],
  subject: ({ subject = "", isAboutHolder }) => [
    isAboutHolder ? `${subject}, which holds it as its manifest says` : subject,
  ],
};

/** What has no name is called by a hash. */
function brief(name: string): string {
  return /^[0-9a-f]{64}$/.test(name) ? `${name.slice(0, 12)}…` : name;
}

/** Why a step was not one to take. */
const NOT_NEEDED: Readonly<Partial<Record<ChecklistStep, (piece: ExaminedPiece) => string>>> = {
  time: () => "nothing says when it was signed: the key is believed now",
  certificate: () => "a key signed",
  sct: () => "none is asked for",
  log: () => "none is asked for",
  identity: ({ signature }) => `signed by ${signature ? describeSigner(signature.signer) : "nobody"}`,
  statement: () => "the signature is over the artifact itself",
};

function describeSigner(signer: Signer): string {
  return signer.case === "key" ? `key ${signer.name}` : `${signer.identity} (${signer.issuer})`;
}

/** Tells a verdict: as data, or in words with what to do next. */
export function tellVerdict(verdict: Verdict, terminal: Terminal, json: boolean): void {
  if (json) {
    terminal.printJson(reportOf(verdict));
    return;
  }
  printVerdict(verdict, terminal);
  const { deciding, verified, asksPolicy, demands } = verdict;
  const { refusal, signature } = deciding;
  if (refusal !== undefined) {
    const advice = adviceOnDigest(verdict) ?? adviceFor(refusal.code);
    if (advice !== undefined) terminal.note(`  ${advice}`);
    terminal.note(`  code: ${refusal.code}`);
  }
  if (verified && demands.signers === undefined && !asksPolicy && signature !== undefined) {
    terminal.note("Anybody could have signed this. To ask for this signer from now on:");
    terminal.note(`  ${optionsFor(signature.signer)}`);
  }
}

/** Where the evidence may well be about the artifact, but cannot be held against the digest that was given. */
function adviceOnDigest({ artifact, deciding }: Verdict): string | undefined {
  const [digest] = artifact.digests;
  if (deciding.refusal?.code !== "subject-mismatch" || artifact.path !== undefined || digest === undefined) {
    return undefined;
  }
  const named = new Set(deciding.attestation?.subjects.flatMap(({ digests }) => digests.map(algorithmOf)));
  if (named.size === 0 || named.has(algorithmOf(digest))) return undefined;
  return `The evidence names its subjects by ${[...named].join(", ")} alone: give the file, or that digest of it.`;
}

/** Prints the steps of the piece that decides up to the one that failed, and the verdict. */
function printVerdict(verdict: Verdict, terminal: Terminal): void {
  const { deciding, others, policy, verified } = verdict;
  if (others.length > 0) {
    const why = verified ? "which the verdict rests on" : "which came farthest";
    terminal.print(`${nameOf(deciding)}, ${why}, of ${others.length + 1} pieces of evidence:`);
  }
  for (const { step, outcome } of deciding.steps) {
    if (outcome !== "not-reached") printStep(terminal, step, outcome, linesOf(verdict, step, outcome));
  }
  if (policy !== undefined) printPolicy(terminal, policy);
  for (const other of others) terminal.print(`  beside it ${nameOf(other)}: ${fateOf(verdict, other)}`);
  const { path, alias, reference, digests } = verdict.artifact;
  const artifact = path ?? alias ?? [reference, digests[0]].filter((one) => one !== undefined).join(" ");
  terminal.print(`${verified ? "verified" : "refused"} ${artifact}`, verified ? "good" : "bad");
}

function linesOf(
  { deciding, asksPolicy }: Verdict,
  step: ChecklistStep,
  outcome: Outcome,
): readonly string[] {
  if (outcome === "failed") return [deciding.refusal?.message ?? ""];
  if (outcome === "passed") return FOUND[step](deciding);
  const why = NOT_NEEDED[step]?.(deciding) ?? "";
  if (step !== "identity") return [why];
  return [asksPolicy ? `${why}, whom the policy judges` : `anybody may have signed; ${why}`];
}

function printStep(terminal: Terminal, step: Step, outcome: Outcome, lines: readonly string[]): void {
  const sign = (terminal.showsSymbols ? SYMBOLS : LABELS)[outcome];
  const [first = "", ...more] = lines;
  terminal.print(`${sign} ${step.padEnd(STEP_WIDTH)} ${first}`, MARKS[outcome]);
  const indent = " ".repeat(sign.length + STEP_WIDTH + 2);
  for (const line of more) terminal.print(`${indent}${line}`);
}

function printPolicy(terminal: Terminal, { policy, evaluation }: PolicyVerdict): void {
  const { outcome, slsaLevel, checks, validUntil } = evaluation;
  const until = validUntil === undefined ? "" : `, until ${rfc3339(validUntil)}`;
  printStep(terminal, "policy", outcome, [
    `${policy.name} ${outcome}: SLSA build level ${slsaLevel}${until}`,
  ]);
  printChecks(terminal, checks, "  ");
}

function nameOf({ file, item }: ExaminedPiece): string {
  return item === undefined ? file : `${file}:${item}`;
}

function fateOf(verdict: Verdict, piece: ExaminedPiece): string {
  const { refusal } = piece;
  const about = supportOf(verdict, piece);
  if (about !== undefined) return `counts too, about ${about}`;
  return refusal === undefined
    ? `holds too, ${piece.signature ? describeSigner(piece.signature.signer) : ""}`
    : `fails at ${failedStep(piece)}: ${refusal.message} (${refusal.code})`;
}
