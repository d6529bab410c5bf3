import { useToken } from "../../db/used-tokens.ts";
import { VouchsafeError } from "../../errors.ts";
import { isReserved } from "../../identity/agent-id.ts";
import { validateJwtSvid } from "../../identity/jwt-svid.ts";
import { readToken, type StatedToken, verifyOidcToken } from "../../identity/oidc-token.ts";
import { oidcCallerName } from "../../policy/access-name.ts";
import {
  type AccessPolicy,
  matchClaims,
  matchSpiffeId,
  type OidcCallers,
  type SvidCallers,
} from "../../policy/access-policy.ts";
import type { Vouchsafe } from "../context.ts";
import { type AccessRules, callerOf, firstCaller, noRuleTakes, readAccessRules } from "./access-rules.ts";
import { bundleOf, noRuleTakesSvid, unauthenticatedUnless } from "./authenticate-svid.ts";
import type { Authenticated } from "./authenticator.ts";
import { requireGrantedJwt } from "./granted-svid.ts";

/** Used tokens are remembered for this long after they expired: another node's clock may be behind. Milliseconds. */
const REMEMBERED = 10 * 60_000;

/**
 * Who a JWT stands for by the access rules of the project that the request names: an OIDC token of an issuer that they name,
 * or a JWT-SVID of a trust domain that they name. Whose keys it is held to, its `iss` and `sub` choose among those; nobody
 * else's are ever asked for.
 *
 * @throws VouchsafeError `unauthenticated` for a token that does not hold, or that no rule is about; `no-access-rule` for one that holds
 *   and that none takes; `token-replayed`; `unavailable` when its issuer's keys cannot be had
 */
export async function authenticateJwt(
  v: Vouchsafe,
  text: string,
  named: string | undefined,
): Promise<Authenticated> {
  const token = readToken(text);
  return firstCaller(
    await readAccessRules(v, named),
    (policy, rules) => {
      const { spec } = policy;
      if (spec.case === "oidc") {
        // Our own JWT-SVIDs have it too: by `svid` rules alone, which know what was taken back.
        const isOurs = spec.issuer === v.config.oidcIssuer;
        return token.issuer === spec.issuer && !isOurs ? byOidc(v, rules, policy, spec, token) : undefined;
      }
      const { trustDomain, audience } = spec;
      if (audience === undefined || !token.subject?.startsWith(`spiffe://${trustDomain}/`)) return undefined;
      return byJwtSvid(v, rules, policy, { ...spec, audience }, text);
    },
    "tokens of this issuer",
  );
}

async function byOidc(
  v: Vouchsafe,
  rules: AccessRules,
  policy: AccessPolicy,
  spec: OidcCallers & Extract<AccessPolicy["spec"], { case: "oidc" }>,
  token: StatedToken,
): Promise<Authenticated> {
  const { issuer, audience, keys, once, platform } = spec;
  const { keyId = "" } = token;
  const key = keys === undefined ? await v.issuerKeys.keyOf(rules.project, issuer, keyId) : keys.get(keyId);
  if (key === undefined) throw refused("its key is not one of its issuer's");
  const now = v.clock();
  const { claims, expiresAt, id } = verifyOidcToken(token, { issuer, audience, key }, now);
  const match = matchClaims(spec.rules, claims);
  if (match.case === "none") throw noRuleTakes(claims, match.unmet);
  // Last, so that only who would be let in uses it up. A crash after it leaves a token that is used: the job asks for another.
  if (once && !(await useToken(v.database.kysely, { id, expiresAt }, now - REMEMBERED))) {
    throw new VouchsafeError("token-replayed", "This token was used before: ask its issuer for another");
  }
  const caller = callerOf(rules, policy, match, oidcCallerName(policy, platform, claims));
  return { caller, expiresAt, ...(once && { once }) };
}

async function byJwtSvid(
  v: Vouchsafe,
  rules: AccessRules,
  policy: AccessPolicy,
  spec: SvidCallers & Extract<AccessPolicy["spec"], { case: "svid" }> & { readonly audience: string },
  text: string,
): Promise<Authenticated> {
  const { trustDomain, audience } = spec;
  const bundle = bundleOf(v, rules, trustDomain);
  if (bundle === undefined) throw refused("its trust domain's bundle is not known");
  const { spiffeId, audiences, expiresAt, claims } = unauthenticatedUnless(() =>
    validateJwtSvid(text, bundle, audience, v.clock()),
  );
  if (audiences.length !== 1) throw refused("it is for others too: ask for one for this server alone");
  if (isReserved(spiffeId)) throw refused("it is of a part of the service itself");
  if (trustDomain === v.authority.trustDomain) {
    await requireGrantedJwt(v, rules.project, { spiffeId, jti: String(claims.jti) });
  }
  const match = matchSpiffeId(spec.rules, spiffeId);
  if (match.case === "none") throw noRuleTakesSvid(spiffeId);
  return { caller: callerOf(rules, policy, match, spiffeId), expiresAt };
}

function refused(what: string): VouchsafeError {
  return new VouchsafeError("unauthenticated", `the token is refused: ${what}`);
}
