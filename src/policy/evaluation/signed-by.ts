import type { Facts } from "../facts.ts";
import type { SignerRule } from "../policy.ts";

export function isSignedBy(rule: SignerRule, { signer }: Pick<Facts, "signer">): boolean {
  if (rule.case === "key") return signer.key === rule.name;
  if (signer.issuer === undefined || signer.identity === undefined) return false;
  if (rule.instance !== undefined && rule.instance !== signer.instance) return false;
  return rule.issuer.matches(signer.issuer) && rule.identity.matches(signer.identity);
}
