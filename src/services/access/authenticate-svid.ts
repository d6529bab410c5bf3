import { hasCode, VouchsafeError } from "../../errors.ts";
import { isReserved } from "../../identity/agent-id.ts";
import { type SpiffeId, type TrustDomain, trustDomainOf } from "../../identity/spiffe-id.ts";
import type { TrustBundle } from "../../identity/trust-bundle.ts";
import {
  parseX509Svid,
  validateX509Svid,
  withoutRoots,
  type X509Svid,
} from "../../identity/x509-validation.ts";
import { matchSpiffeId } from "../../policy/access-policy.ts";
import type { Vouchsafe } from "../context.ts";
import { type AccessRules, callerOf, firstCaller, readAccessRules } from "./access-rules.ts";
import type { Authenticated } from "./authenticator.ts";
import { requireGranted } from "./granted-svid.ts";

/**
 * Who a client's certificate stands for, by the access rules of the project that the request names: an X.509-SVID of a trust
 * domain that they name. That the client has its key the TLS handshake has shown.
 *
 * @param chain DER, the client's own first
 * @throws VouchsafeError `unauthenticated`; `no-access-rule` for an SVID that holds and that no rule takes
 */
export async function authenticateSvid(
  v: Vouchsafe,
  chain: readonly Uint8Array[],
  named: string | undefined,
): Promise<Authenticated> {
  const { spiffeId } = unauthenticatedUnless(() => parseX509Svid(chain));
  const trustDomain = trustDomainOf(spiffeId);
  const rules = await readAccessRules(v, named);
  let svid: X509Svid | undefined;
  return firstCaller(
    rules,
    (policy, rules) => {
      const { spec } = policy;
      if (spec.case !== "svid" || spec.trustDomain !== trustDomain) return undefined;
      const { rules: own } = spec;
      return (async () => {
        svid ??= await verified(v, rules, chain, trustDomain);
        const match = matchSpiffeId(own, svid.spiffeId);
        if (match.case === "none") throw noRuleTakesSvid(svid.spiffeId);
        return { caller: callerOf(rules, policy, match, svid.spiffeId), expiresAt: svid.leaf.notAfter };
      })();
    },
    "X.509-SVIDs of this trust domain",
  );
}

/** What SVIDs of a trust domain are validated by: our own bundle, or that of one that the project federates with. */
export function bundleOf(
  { authority }: Pick<Vouchsafe, "authority">,
  { relationships }: AccessRules,
  trustDomain: TrustDomain,
): TrustBundle | undefined {
  if (trustDomain === authority.trustDomain) return authority.bundle();
  return relationships.find((one) => one.trustDomain === trustDomain)?.bundle;
}

export function noRuleTakesSvid(spiffeId: SpiffeId): VouchsafeError {
  return new VouchsafeError(
    "no-access-rule",
    `The SVID holds, and no access rule of the project takes its SPIFFE ID ${spiffeId}`,
    { extensions: { spiffeId } },
  );
}

async function verified(
  v: Vouchsafe,
  rules: AccessRules,
  chain: readonly Uint8Array[],
  trustDomain: TrustDomain,
): Promise<X509Svid> {
  const bundle = bundleOf(v, rules, trustDomain);
  if (bundle === undefined)
    throw new VouchsafeError("unauthenticated", "The bundle of the SVID's trust domain is not known");
  const svid = unauthenticatedUnless(() => validateX509Svid(withoutRoots(chain, bundle), bundle, v.clock()));
  if (isReserved(svid.spiffeId))
    throw new VouchsafeError("unauthenticated", "The SVID is of a part of the service itself");
  if (trustDomain === v.authority.trustDomain) await requireGranted(v, rules.project, svid);
  return svid;
}

/** An SVID that does not hold is as any credential that does not. */
export function unauthenticatedUnless<T>(validate: () => T): T {
  try {
    return validate();
  } catch (cause) {
    if (!hasCode(cause, "invalid-svid")) throw cause;
    throw new VouchsafeError("unauthenticated", cause.message, { cause });
  }
}
