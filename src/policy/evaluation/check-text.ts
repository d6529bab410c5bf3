import type { RuleFailure } from "../cel.ts";
import type { Facts } from "../facts.ts";
import type { Glob } from "../glob.ts";
import type { ApprovalRule, SignerRule } from "../policy.ts";
import type { Check } from "../types.ts";

const MAX_TEXT = 240;
const MAX_ITEMS = 8;

/** What stands for a fact that the evidence does not have. */
export const ABSENT = "nothing";

/** Why nobody looked at what a stranger may have made as large as he likes. */
export const NOT_EVALUATED = "not evaluated: the signer is not trusted";

/** A text from outside as checks show it: bounded, on one line, control characters escaped. */
export function shown(text: string | undefined): string {
  if (text === undefined) return ABSENT;
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT).toWellFormed()}…` : text.toWellFormed();
  return cut.replaceAll(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** A list from outside, of which the first few are shown. */
export function shownList(texts: readonly string[]): string {
  if (texts.length === 0) return ABSENT;
  const rest = texts.length - MAX_ITEMS;
  return `${texts.slice(0, MAX_ITEMS).map(shown).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

export function alternatives(globs: readonly Pick<Glob, "text">[]): string {
  return globs.map(({ text }) => text).join(" or ");
}

export function signersText(signers: readonly SignerRule[]): string {
  return signers
    .map((signer) =>
      signer.case === "key"
        ? `key ${signer.name}`
        : `${signer.identity.text} under ${signer.issuer.text}${ofInstance(signer.instance)}`,
    )
    .join(" or ");
}

export function approversText({ from }: ApprovalRule): string {
  return from.map((rule) => (rule.case === "token" ? rule.name.text : signersText([rule]))).join(" or ");
}

function ofInstance(name: string | undefined): string {
  return name === undefined ? "" : ` of ${name}`;
}

/** Who signed, with the instance that knows him where that is asked for. */
export function foundSigner(asked: readonly SignerRule[], facts: Facts): string {
  const asksInstance = asked.some((one) => one.case === "certificate" && one.instance !== undefined);
  return `${signerText(facts)}${asksInstance ? ofInstance(facts.signer.instance) : ""}`;
}

export function signerText({ signer }: Facts): string {
  return signer.key === undefined
    ? `${shown(signer.identity)} under ${shown(signer.issuer)}`
    : `key ${shown(signer.key)}`;
}

export function answerText(answer: boolean | RuleFailure): string {
  return typeof answer === "boolean" ? String(answer) : `no answer: ${shown(answer.failure)}`;
}

/** Whether one of the patterns matches. */
export function checkMatch(
  check: string,
  globs: readonly Pick<Glob, "text" | "matches">[],
  actual: string | undefined,
): Check {
  return {
    check,
    passed: actual !== undefined && globs.some((glob) => glob.matches(actual)),
    expected: alternatives(globs),
    actual: actual === "" ? "no name" : shown(actual),
  };
}
