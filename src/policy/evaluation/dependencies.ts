import type { ResourceDescriptor } from "../../in-toto-attestation/index.ts";
import type { Glob } from "../glob.ts";
import type { DependencyRules } from "../policy.ts";
import type { Check } from "../types.ts";
import { ABSENT, alternatives, shown, shownList } from "./check-text.ts";

/** Of how many dependencies a policy is asked: it has up to 256 patterns for each. */
const MAX_DEPENDENCIES = 10_000;
/** Digests that name one thing only. */
const STRONG = ["sha256", "sha384", "sha512"];
const GIT = /^git(?:\+[a-z]+)?:/;

/** What the policy asks of the provenance's dependencies, a check for each of its demands. */
export function checkDependencies(
  { allow, require, pinned = false }: DependencyRules,
  dependencies: readonly ResourceDescriptor[],
): Check[] {
  const taken = dependencies.slice(0, MAX_DEPENDENCIES);
  if (taken.length < dependencies.length) return [tooMany(dependencies.length)];
  return [
    ...(allow === undefined
      ? []
      : [
          noneOf(
            "allow",
            `nothing but ${alternatives(allow)}`,
            taken.filter((one) => !allow.some((glob) => isIn(one, glob))),
          ),
        ]),
    ...(require === undefined ? [] : [checkRequired(require, taken)]),
    ...(pinned
      ? [
          noneOf(
            "pinned",
            "each by its digest",
            taken.filter((one) => !isPinned(one)),
          ),
        ]
      : []),
  ];
}

function isIn({ uri }: ResourceDescriptor, glob: Glob): boolean {
  return uri !== undefined && glob.matches(uri);
}

/** SHA-1 names a commit to git; of anything else there can be two. */
function isPinned({ uri = "", digest }: ResourceDescriptor): boolean {
  if ([...STRONG, "gitCommit"].some((algorithm) => digest[algorithm] !== undefined)) return true;
  return digest.sha1 !== undefined && GIT.test(uri);
}

function checkRequired(require: readonly Glob[], dependencies: readonly ResourceDescriptor[]): Check {
  const missing = require.filter((glob) => !dependencies.some((one) => isIn(one, glob)));
  return {
    check: "resolvedDependencies.require",
    passed: missing.length === 0,
    expected: require.map(({ text }) => text).join(" and "),
    actual: missing.length === 0 ? "all of them" : `no ${alternatives(missing)}`,
  };
}

function noneOf(demand: string, expected: string, failing: readonly ResourceDescriptor[]): Check {
  return {
    check: `resolvedDependencies.${demand}`,
    passed: failing.length === 0,
    expected,
    actual:
      failing.length === 0 ? "no other" : shownList(failing.map(({ uri, name }) => uri ?? nameless(name))),
  };
}

function nameless(name: string | undefined): string {
  return name === undefined ? `${ABSENT} that has a URI` : `${shown(name)}, without a URI`;
}

function tooMany(count: number): Check {
  return {
    check: "resolvedDependencies",
    passed: false,
    expected: `at most ${MAX_DEPENDENCIES} dependencies`,
    actual: String(count),
  };
}
