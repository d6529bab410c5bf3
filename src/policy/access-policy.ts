import type { IssuerKeys } from "../identity/issuer-keys.ts";
import type { TrustDomain } from "../identity/spiffe-id.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../in-toto-attestation/index.ts";
import type { Platform } from "./access-platforms.ts";
import { type Glob, MAX_NAME } from "./glob.ts";

/** What a caller may do. `http/` says which roles each route takes. */
export const ROLES = ["uploader", "issuer", "auditor", "approver", "operator", "agent"] as const;
export type Role = (typeof ROLES)[number];

/** A loaded document of kind AccessPolicy: who calls without a token of ours. Only `loadPolicySet` makes one. */
export interface AccessPolicy {
  readonly name: string;
  readonly description?: string;
  /** `sha256:…` of the canonical JSON of the document. */
  readonly hash: string;
  /** The file that it stands in. */
  readonly file: string;
  readonly spec: AccessSpec;
}

export type AccessSpec =
  | ({ readonly case: "oidc"; readonly rules: readonly ClaimRule[] } & OidcCallers)
  | ({ readonly case: "svid"; readonly rules: readonly SvidRule[] } & SvidCallers);

/** Callers that an OIDC issuer knows. */
export interface OidcCallers {
  /** `iss` of their tokens, exactly. */
  readonly issuer: string;
  readonly audience: string;
  /** What the issuer signs with; absent: it is asked for its keys. */
  readonly keys?: IssuerKeys;
  /** Whether each token is good for one request. */
  readonly once: boolean;
  /** What is known of the issuer, where it is one of those that many know. */
  readonly platform?: Platform;
}

/** Workloads that call as themselves: by mTLS, and by JWT-SVIDs where there is an audience. */
export interface SvidCallers {
  readonly trustDomain: TrustDomain;
  readonly audience?: string;
}

/** What a rule gives. */
export interface Grant {
  /** At least one. */
  readonly roles: readonly Role[];
  readonly policies: readonly string[];
  readonly mayChoosePolicy: boolean;
}

/** All of the claims must be as demanded. */
export interface ClaimRule extends Grant {
  readonly claims: readonly ClaimDemand[];
}

export interface ClaimDemand {
  /** As it is written: the claim's name or a JSON Pointer (RFC 6901). */
  readonly claim: string;
  readonly path: readonly string[];
  /** One of these must match. */
  readonly values: readonly Glob[];
}

export interface SvidRule extends Grant {
  /** One of these must match. */
  readonly spiffeIds: readonly Glob[];
}

/** The rule that takes a caller, and its number in its document, from 1; or which demands of the nearest rule are not met. */
export type Match =
  | { readonly case: "taken"; readonly rule: Grant; readonly number: number }
  | { readonly case: "none"; readonly unmet: readonly ClaimDemand[] };

/**
 * The first rule, in the order in which they are written, that takes these claims says everything. A claim that patterns
 * do not see the end of leaves no rule to take them: that an earlier rule did not match must not give what a later one gives.
 */
export function matchClaims(rules: readonly ClaimRule[], claims: JsonObject): Match {
  const tooLong = rules.flatMap((rule) => rule.claims).filter((demand) => isTooLong(demand, claims));
  if (tooLong.length > 0) return { case: "none", unmet: tooLong };
  let unmet: readonly ClaimDemand[] | undefined;
  for (const [index, rule] of rules.entries()) {
    const missing = rule.claims.filter((demand) => !isMet(demand, claims));
    if (missing.length === 0) return { case: "taken", rule, number: index + 1 };
    if (unmet === undefined || missing.length < unmet.length) unmet = missing;
  }
  return { case: "none", unmet: unmet ?? [] };
}

export function matchSpiffeId(rules: readonly SvidRule[], spiffeId: string): Match {
  const index = rules.findIndex(({ spiffeIds }) => spiffeIds.some((glob) => glob.matches(spiffeId)));
  const rule = rules[index];
  return rule === undefined ? { case: "none", unmet: [] } : { case: "taken", rule, number: index + 1 };
}

/** What stands at the path; a list is as good as each of its members. */
export function claimAt(claims: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = claims;
  for (const member of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, member)) return undefined;
    value = value[member];
  }
  return value;
}

function isMet({ path, values }: ClaimDemand, claims: JsonObject): boolean {
  const said = textsOf(claimAt(claims, path));
  return values.some((glob) => said.some((text) => glob.matches(text)));
}

function isTooLong({ path }: ClaimDemand, claims: JsonObject): boolean {
  return textsOf(claimAt(claims, path)).some((text) => text.length > MAX_NAME);
}

/** Numbers and booleans as JSON writes them: issuers do not agree on which of their ids are texts. */
function textsOf(value: JsonValue | undefined): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((one) => (Array.isArray(one) ? [] : textsOf(one)));
  if (typeof value === "string") return [value];
  if (typeof value === "boolean" || Number.isSafeInteger(value)) return [String(value)];
  return [];
}
