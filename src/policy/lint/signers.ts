import { suggestion } from "../../yaml/suggestion.ts";
import { compileGlob, type Glob, tokenize } from "../glob.ts";
import { covers } from "../glob-relations.ts";
import type { LintFinding } from "../lint.ts";
import type { PolicySpec, SignerRule } from "../policy.ts";

const ANYTHING = compileGlob("**");
const ANY_NAME = compileGlob("*");

/** Signers that are more people than anybody means. */
export function signerFindings(spec: PolicySpec): LintFinding[] {
  return signersIn(spec).flatMap(({ signers, path }) => wide(signers, path));
}

/** Keys that the trust in which the policy is to count does not name: nothing that they sign would verify. */
export function keyFindings(spec: PolicySpec, trusted: readonly string[]): LintFinding[] {
  return signersIn(spec).flatMap(({ signers, path }) =>
    signers.flatMap((signer, index) => {
      if (signer.case !== "key" || trusted.includes(signer.name)) return [];
      const message = `no key of the trust document is named \`${signer.name}\`${suggestion(signer.name, trusted)}`;
      return warn("unknown-key", true, [...path, index, "key"], message);
    }),
  );
}

/** The lists of signers that a policy writes itself. */
function signersIn({ signers, builders = [], evidence, containment }: PolicySpec): {
  readonly signers: readonly SignerRule[];
  readonly path: LintFinding["path"];
}[] {
  return [
    { signers, path: ["spec", "signers"] },
    // A Builder may be all the world's: that the policy's own signers are not is what counts.
    ...builders.flatMap(({ use, signers: own = [] }, index) =>
      use === undefined ? [{ signers: own, path: ["spec", "builders", index, "signers"] }] : [],
    ),
    ...evidence.map((one, index) => ({
      signers: one.signers,
      path: ["spec", "evidence", index, "signers"],
    })),
    { signers: containment?.signers ?? [], path: ["spec", "containment", "signers"] },
  ];
}

function wide(signers: readonly SignerRule[], path: LintFinding["path"]): LintFinding[] {
  return signers.flatMap((signer, index) => {
    if (signer.case === "key") return [];
    const { issuer, identity } = signer;
    return [
      ...warn(
        "open-issuer",
        hasOpenHost(issuer),
        [...path, index, "issuer"],
        "whoever runs an issuer of that name says who signed",
      ),
      ...warn(
        "open-identity",
        covers(identity, ANY_NAME),
        [...path, index, "identity"],
        `everybody whom ${issuer.text} knows may sign`,
      ),
      ...warn(
        "wide-identity",
        !covers(identity, ANY_NAME) && isWide(identity, issuer),
        [...path, index, "identity"],
        "wider than one organisation: whoever can have a name like that may sign",
      ),
    ];
  });
}

function warn(rule: string, applies: boolean, path: LintFinding["path"], message: string): LintFinding[] {
  return applies ? [{ level: "warning", rule, path, message }] : [];
}

/** Whether the pattern leaves open which host a URL is of. */
function hasOpenHost(issuer: Glob): boolean {
  return (
    covers(issuer, ANYTHING) || (isPattern(issuer) && !/^[a-z][a-z0-9+.-]*:\/\/[^/*]+\//.test(issuer.text))
  );
}

/**
 * Whether it leaves open the organisation: what follows a URL's host, or an address's `@`. Other names count among
 * those of a private root alone.
 */
function isWide(identity: Glob, issuer: Glob): boolean {
  const { text } = identity;
  if (!isPattern(identity)) return false;
  if (/^https?:/.test(text)) return !/^https?:\/\/[^/*]+\/[^/*]+\//.test(text);
  if (text.includes("://")) return !/^[a-z][a-z0-9+.-]*:\/\/[^/*]+\//.test(text);
  if (text.includes("@")) return !/@[^*@]+$/.test(text);
  return !issuer.text.startsWith("x509:");
}

function isPattern({ text }: Glob): boolean {
  return tokenize(text).some((token) => typeof token === "string");
}
