import {
  canonicalJson,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../in-toto-attestation/index.ts";
import type { ParameterPattern, ParameterRules } from "../policy.ts";
import type { Check } from "../types.ts";
import { NOT_EVALUATED, shown, shownList } from "./check-text.ts";

const NONE_LISTED: ParameterRules = { require: new Map(), allow: new Map(), ignore: [] };
const MAX_SHOWN_NODES = 64;
/** At one level: of builders that write them down there are some dozens, and anybody may push provenance with a million. */
const MAX_PARAMETERS = 10_000;

/**
 * What the policy lists of the build's external parameters is as it says, and there are no others: a parameter
 * that nobody looked at could have changed the build (SLSA v1.2, Verifying artifacts). Null is no parameter. A stranger's
 * are looked at only where they are few: there can be some megabytes of them, for each of the policy's patterns.
 */
export function checkParameters(
  rules: ParameterRules | undefined,
  parameters: JsonObject,
  isTrusted: boolean,
): Check[] {
  if (!isTrusted && !isSmall(parameters)) {
    const expected = "what a trusted signer says that the build was given";
    return [{ check: "externalParameters", passed: false, expected, actual: NOT_EVALUATED }];
  }
  return checkMembers("externalParameters", rules ?? NONE_LISTED, parameters);
}

/** One check for each member that the policy lists, however deep, and one at each level for those that it does not. */
function checkMembers(path: string, { require, allow, ignore }: ParameterRules, object: JsonObject): Check[] {
  const names = Object.keys(object);
  if (names.length > MAX_PARAMETERS) {
    const expected = `at most ${MAX_PARAMETERS} parameters`;
    return [{ check: path, passed: false, expected, actual: String(names.length) }];
  }
  const present = new Map(Object.entries(object).filter(([, value]) => value !== null));
  const unlisted = [...present.keys()]
    .filter((name) => !require.has(name) && !allow.has(name) && !ignore.some((glob) => glob.matches(name)))
    .sort();
  return [
    ...[...require].flatMap(([name, pattern]) => checkMember(`${path}.${name}`, pattern, present.get(name))),
    ...[...allow]
      .filter(([name]) => present.has(name))
      .flatMap(([name, pattern]) => checkMember(`${path}.${name}`, pattern, present.get(name))),
    {
      check: path,
      passed: unlisted.length === 0,
      expected: "nothing that the policy does not list",
      actual: shownList(unlisted),
    },
  ];
}

function checkMember(path: string, pattern: ParameterPattern, value: JsonValue | undefined): Check[] {
  if (pattern.case === "members" && isJsonObject(value)) {
    return checkMembers(path, { require: pattern.members, allow: new Map(), ignore: [] }, value);
  }
  const passed = value !== undefined && matches(pattern, value);
  return [{ check: path, passed, expected: patternText(pattern), actual: valueText(value) }];
}

function matches(pattern: ParameterPattern, value: JsonValue): boolean {
  switch (pattern.case) {
    case "text":
      return typeof value === "string" && pattern.glob.matches(value);
    case "value":
      return value === pattern.value;
    case "anyOf":
      return Array.isArray(value)
        ? value.every((element: JsonValue) => anyMatches(pattern.patterns, element))
        : anyMatches(pattern.patterns, value);
    case "members":
      return isJsonObject(value) && checkMember("", pattern, value).every(({ passed }) => passed);
  }
}

function anyMatches(patterns: readonly ParameterPattern[], value: JsonValue): boolean {
  return patterns.some((pattern) => matches(pattern, value));
}

export function patternText(pattern: ParameterPattern): string {
  switch (pattern.case) {
    case "text":
      return pattern.glob.text;
    case "value":
      return String(pattern.value);
    case "anyOf":
      return pattern.patterns.map(patternText).join(" or ");
    case "members":
      return `{${[...pattern.members].map(([name, member]) => `${name}: ${patternText(member)}`).join(", ")}}`;
  }
}

/** Large values are named by what they are: writing them out would cost what an uploader likes. */
function valueText(value: JsonValue | undefined): string {
  if (value === undefined || typeof value === "string") return shown(value);
  if (!isSmall(value)) return Array.isArray(value) ? "a large list" : "a large object";
  return shown(canonicalJson(value));
}

function isSmall(value: JsonValue): boolean {
  let nodes = 0;
  const pending: JsonValue[] = [value];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    nodes += 1;
    if (nodes > MAX_SHOWN_NODES || (typeof next === "string" && next.length > 4096)) return false;
    if (typeof next !== "object" || next === null) continue;
    const values = Object.values(next);
    // More than that could be more arguments than a call takes.
    if (values.length > MAX_SHOWN_NODES) return false;
    pending.push(...values);
  }
  return true;
}
