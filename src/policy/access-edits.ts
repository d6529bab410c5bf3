import type { AccessPolicy, AccessSpec, Grant } from "./access-policy.ts";
import type { PolicySet } from "./load.ts";
import { type Change, changeOf, editsBetween } from "./simulate.ts";

/** An AccessPolicy as it is and as it would be. What tokens there are nobody knows: it says whom rules take, and not who comes. */
export interface AccessEdit {
  readonly name: string;
  readonly change: Change;
  /** Whose callers it takes, before its rules ask; null where there is no such policy. */
  readonly callers: Sides<string>;
  /** Those that differ, in the order of the proposed ones, and then those that are gone. */
  readonly rules: readonly AccessRuleEdit[];
}

export interface AccessRuleEdit {
  /** `changed`: it gives something else. `moved`: it gives the same, and others now come before it, or it before them: the first that takes a caller says all. */
  readonly change: "added" | "removed" | "changed" | "moved";
  /** What a caller must be, each of them: one of the patterns, as they are written. */
  readonly who: readonly { readonly of: string; readonly patterns: readonly string[] }[];
  readonly gives: Sides<Given>;
}

export interface Sides<T> {
  readonly before: T | null;
  readonly after: T | null;
}

/** A rule's number in its document, from 1, and what it gives. */
export type Given = Grant & { readonly number: number };

/** Every AccessPolicy of either set, by name. */
export function accessEdits(before: PolicySet["access"], after: PolicySet["access"]): AccessEdit[] {
  return editsBetween(before, after).map((edit) => ({
    name: edit.name,
    change: changeOf(edit),
    callers: { before: callersOf(edit.before), after: callersOf(edit.after) },
    rules: ruleEdits(rulesOf(edit.before), rulesOf(edit.after)),
  }));
}

interface Rule {
  readonly who: AccessRuleEdit["who"];
  readonly given: Given;
}

function ruleEdits(before: ReadonlyMap<string, Rule>, after: ReadonlyMap<string, Rule>): AccessRuleEdit[] {
  const stayedBefore = [...before.keys()].filter((key) => after.has(key));
  const stayedAfter = [...after.keys()].filter((key) => before.has(key));
  const changed = [...after].flatMap(([key, { who, given }]): AccessRuleEdit[] => {
    const old = before.get(key)?.given;
    if (old === undefined) return [{ change: "added", who, gives: { before: null, after: given } }];
    const gives = { before: old, after: given };
    if (!givesAlike(old, given)) return [{ change: "changed", who, gives }];
    return stayedBefore.indexOf(key) === stayedAfter.indexOf(key) ? [] : [{ change: "moved", who, gives }];
  });
  const removed = [...before].flatMap(([key, { who, given }]): AccessRuleEdit[] =>
    after.has(key) ? [] : [{ change: "removed", who, gives: { before: given, after: null } }],
  );
  return [...changed, ...removed];
}

/** By whom they take, which of several alike it is being a part of that: the second takes nobody whom the first does not. */
function rulesOf(policy: AccessPolicy | undefined): ReadonlyMap<string, Rule> {
  const rules = new Map<string, Rule>();
  for (const { who, given } of policy === undefined ? [] : writtenRules(policy.spec)) {
    let key = JSON.stringify(who);
    while (rules.has(key)) key += " again";
    rules.set(key, { who, given });
  }
  return rules;
}

function writtenRules(spec: AccessSpec): Rule[] {
  const given = ({ roles, policies, mayChoosePolicy }: Grant, index: number) => ({
    number: index + 1,
    roles,
    policies,
    mayChoosePolicy,
  });
  const texts = (globs: readonly { readonly text: string }[]) => globs.map(({ text }) => text);
  if (spec.case === "svid")
    return spec.rules.map((rule, index) => ({
      who: [{ of: "spiffeIds", patterns: texts(rule.spiffeIds) }],
      given: given(rule, index),
    }));
  return spec.rules.map((rule, index) => ({
    who: rule.claims.map(({ claim, values }) => ({ of: claim, patterns: texts(values) })),
    given: given(rule, index),
  }));
}

function givesAlike(a: Grant, b: Grant): boolean {
  const sets = ({ roles, policies, mayChoosePolicy }: Grant) =>
    JSON.stringify([[...roles].sort(), [...policies].sort(), mayChoosePolicy]);
  return sets(a) === sets(b);
}

function callersOf(policy: AccessPolicy | undefined): string | null {
  if (policy === undefined) return null;
  const { spec } = policy;
  const audience = spec.audience === undefined ? "" : ` for ${spec.audience}`;
  if (spec.case === "svid") return `SVIDs of ${spec.trustDomain}${audience}`;
  const keys = spec.keys === undefined ? "" : `, by the keys ${[...spec.keys.keys()].join(", ")}`;
  return `tokens of ${spec.issuer}${audience}${spec.once ? ", each once" : ""}${keys}`;
}
