import { isMap, isNode, isScalar, isSeq, type Node } from "yaml";
import { VouchsafeError } from "../../errors.ts";
import { type IssuerKeys, parseIssuerKeys } from "../../identity/issuer-keys.ts";
import { missingTenant, PLATFORMS, platformOf } from "../access-platforms.ts";
import {
  type AccessSpec,
  type ClaimDemand,
  type ClaimRule,
  type Grant,
  type OidcCallers,
  ROLES,
  type Role,
  type SvidRule,
} from "../access-policy.ts";
import { compileGlob, type Glob } from "../glob.ts";
import { covers } from "../glob-relations.ts";
import { documentOf } from "./document.ts";
import { trustDomain } from "./federation-schema.ts";
import {
  boolean,
  list,
  oneOf,
  optional,
  pattern,
  type Reader,
  record,
  refuse,
  required,
  table,
  text,
  textLike,
} from "./readers.ts";

const MAX_CLAIMS = 32;
/** Members of a JSON Pointer. */
const MAX_DEPTH = 6;
const MAX_RULES = 128;
const MAX_VALUES = 64;
const MAX_POLICIES = 8;
const ANYTHING = compileGlob("*");

/** OpenID Connect Core 1.0 §2 (`iss`); by http only where it is this machine, for trying things out. */
const issuerUrl = textLike(
  /^(?=.{1,512}$)(https:\/\/|http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/])[^\s/?#@]+[^\s?#@]*$/,
  "the `iss` of its tokens, an https:// URL without query and fragment,",
);
const audience = textLike(/^[\x21-\x7e]{1,512}$/, "the `aud` of its tokens, a text without spaces,");

const keys: Reader<IssuerKeys> = (source, node, parent) => {
  const written = text(source, node, parent);
  if (written === undefined) return undefined;
  try {
    const read = parseIssuerKeys(new TextEncoder().encode(written));
    return read.size > 0 ? read : refuse(source, node, parent, "there is no key: no token could be verified");
  } catch (error) {
    if (!(error instanceof VouchsafeError)) throw error;
    return refuse(source, node, parent, error.message);
  }
};

/** RFC 6901 where it begins with `/`; else the name of a claim, whatever is in it. */
function pathOf(claim: string): readonly string[] | undefined {
  if (!claim.startsWith("/")) return [claim];
  const isPointer = /^(\/([^/~]|~[01])*)+$/.test(claim);
  if (!isPointer) return undefined;
  return claim
    .slice(1)
    .split("/")
    .map((member) => member.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** A text or a glob, a whole number, `true` or `false`. */
const claimValue: Reader<Glob> = (source, node, parent) => {
  const value = isScalar(node) ? node.value : undefined;
  if (typeof value === "boolean" || Number.isSafeInteger(value)) return compileGlob(String(value));
  return pattern(source, node, parent);
};

const claimValues: Reader<readonly Glob[]> = (source, node, parent) => {
  if (isScalar(node)) {
    const value = claimValue(source, node, parent);
    return value && [value];
  }
  return list(claimValue, MAX_VALUES)(source, node, parent);
};

const claims: Reader<readonly ClaimDemand[]> = (source, node, parent) => {
  const read = table(claimValues)(source, node, parent);
  if (read === undefined) return undefined;
  if (read.size > MAX_CLAIMS) return refuse(source, node, parent, `more than ${MAX_CLAIMS} claims`);
  const demands = [...read].map(([claim, values]) => ({ claim, path: pathOf(claim) ?? [], values }));
  const odd = demands.find(({ path }) => path.length === 0 || path.length > MAX_DEPTH);
  if (odd !== undefined)
    return refuse(source, node, parent, `\`${odd.claim}\` is no JSON Pointer to a claim`);
  const isOpen = demands.every(({ values }) => values.some((glob) => covers(glob, ANYTHING)));
  return isOpen
    ? refuse(
        source,
        node,
        parent,
        "everybody whom the issuer knows would be let in: say which claims, and of what value",
      )
    : demands;
};

/** Agents join by what names one machine, once; a rule's callers are whoever has such a token, as often as they like. */
const role: Reader<Role> = (source, node, parent) => {
  const read = oneOf(ROLES)(source, node, parent);
  if (read !== "agent") return read;
  return refuse(source, node, parent, "agents join by a join token or by a document of kind AgentEnrollment");
};

const grant = {
  roles: required(list(role, ROLES.length)),
  policies: optional(list(text, MAX_POLICIES)),
  mayChoosePolicy: optional(boolean),
};

function granted(written: {
  readonly roles: readonly Role[];
  readonly policies?: readonly string[];
  readonly mayChoosePolicy?: boolean;
}): Grant {
  const { roles, policies = [], mayChoosePolicy = false } = written;
  return { roles: [...new Set(roles)], policies, mayChoosePolicy };
}

const rule = record(
  { claims: optional(claims), spiffeIds: optional(list(pattern, MAX_VALUES)), ...grant },
  ({ claims, spiffeIds }) =>
    (claims === undefined) === (spiffeIds === undefined)
      ? "either `claims` (of an OIDC token) or `spiffeIds` (of an SVID) is expected"
      : undefined,
);

const oidc = record({
  use: optional(oneOf(PLATFORMS.map(({ name }) => name))),
  issuer: optional(issuerUrl),
  audience: required(audience),
  keys: optional(keys),
  once: optional(boolean),
});
const writtenSpec = record(
  {
    oidc: optional(oidc),
    svid: optional(record({ trustDomain: required(trustDomain), audience: optional(audience) })),
    rules: required(list(rule, MAX_RULES)),
  },
  ({ oidc, svid, rules }) => {
    if ((oidc === undefined) === (svid === undefined))
      return "either `oidc` or `svid` is expected: a document is of one kind of caller";
    const [ours, others] =
      oidc === undefined ? (["spiffeIds", "claims"] as const) : (["claims", "spiffeIds"] as const);
    return rules.some((rule) => rule[ours] === undefined)
      ? `its rules are by \`${ours}\`: these callers have no \`${others}\``
      : undefined;
  },
);

const spec: Reader<AccessSpec> = (source, node, parent) => {
  const written = writtenSpec(source, node, parent);
  if (written === undefined) return undefined;
  const { svid, rules } = written;
  if (svid !== undefined) {
    const taken: SvidRule[] = rules.map((one) => ({ spiffeIds: one.spiffeIds ?? [], ...granted(one) }));
    return { case: "svid", ...svid, rules: taken };
  }
  const callers = written.oidc && readCallers(written.oidc);
  if (callers === undefined || "problem" in callers)
    return refuse(source, node, parent, callers?.problem ?? "`oidc` is missing");
  const taken: ClaimRule[] = rules.map((one) => ({ claims: one.claims ?? [], ...granted(one) }));
  const shared = platformOf(callers.issuer);
  let sound = true;
  for (const [index, { claims }] of taken.entries()) {
    const missing = shared && missingTenant(shared, claims);
    if (missing === undefined) continue;
    sound = false;
    refuse(source, ruleAt(node, index), parent, missing);
  }
  return sound ? { case: "oidc", ...callers, rules: taken } : undefined;
};

function readCallers(
  written: Omit<OidcCallers, "issuer" | "once" | "platform"> & {
    readonly use?: string;
    readonly issuer?: string;
    readonly once?: boolean;
  },
): OidcCallers | { readonly problem: string } {
  const { use, once = false, ...rest } = written;
  const named = PLATFORMS.find(({ name }) => name === use);
  const issuer = rest.issuer ?? named?.issuer;
  if (issuer === undefined) {
    return {
      problem:
        named?.example === undefined
          ? "`use` or `issuer` is missing: whose tokens?"
          : `\`issuer\` is missing: ${named.name} has one for each of its users, ${named.example}`,
    };
  }
  if (named?.issuers?.test(issuer) === false)
    return { problem: `no issuer of ${named.name} is called \`${issuer}\`: they are ${named.example}` };
  const platform = platformOf(issuer) ?? named;
  return { ...rest, issuer, once, ...(platform && { platform }) };
}

function ruleAt(spec: Node | null, index: number): Node | null {
  const rules = isMap(spec) ? spec.get("rules") : undefined;
  const item = isSeq(rules) ? rules.items[index] : undefined;
  return isNode(item) ? item : spec;
}

export const accessDocument = documentOf(["AccessPolicy"], spec);

/** The document's lists of VerificationPolicies, as they are written. */
export function accessPolicyLists(spec: Node | undefined): unknown[] {
  const rules = isMap(spec) ? spec.get("rules") : undefined;
  return isSeq(rules) ? rules.items.map((one) => isMap(one) && one.get("policies")) : [];
}
