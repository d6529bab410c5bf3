import { compileGlob, type Glob, tokenize } from "./glob.ts";
import { covers } from "./glob-relations.ts";
import type { LintFinding } from "./lint.ts";
import type { PolicySpec, SignerRule } from "./policy.ts";

const ANYTHING = compileGlob("**");
const ANY_NAME = compileGlob("*");

/** Signers that are more people than anybody means. */
export function signerFindings({ signers, builders = [], evidence, containment }: PolicySpec): LintFinding[] {
  return [
    ...wide(signers, ["spec", "signers"]),
    // A Builder may be all the world's: that the policy's own signers are not is what counts.
    ...builders.flatMap(({ use, signers: own = [] }, index) =>
      use === undefined ? wide(own, ["spec", "builders", index, "signers"]) : [],
    ),
    ...evidence.flatMap((one, index) => wide(one.signers, ["spec", "evidence", index, "signers"])),
    ...wide(containment?.signers ?? [], ["spec", "containment", "signers"]),
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
