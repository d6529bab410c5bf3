import { type JsonObject, sha256 } from "../in-toto-attestation/index.ts";
import type { Platform } from "./access-platforms.ts";
import type { AccessPolicy } from "./access-policy.ts";

const MAX_NAME = 320;
const MAX_ACTOR = 100;

/**
 * What events, limits and approvals call a caller that an OIDC issuer knows: `oidc:POLICY:SUBJECT`, and ` by ACTOR` where
 * the platform says who had the job run. The same for each token of the same subject and actor; bounded, in one line, and
 * the only space is that before the actor, whatever the issuer writes.
 */
export function oidcCallerName(
  { name }: Pick<AccessPolicy, "name">,
  platform: Platform | undefined,
  claims: JsonObject,
): string {
  const { sub, email, email_verified: isVerified } = claims;
  const isByEmail = platform?.namesByEmail === true && isVerified === true;
  const actor = platform?.actor === undefined ? undefined : claims[platform.actor];
  const subject = inOneWord(String(isByEmail ? email : sub), MAX_NAME);
  return `oidc:${name}:${subject}${typeof actor === "string" && actor !== "" ? ` by ${inOneWord(actor, MAX_ACTOR)}` : ""}`;
}

/** Percent-encodes what is no visible ASCII; of what is too long the end is a hash of it all. */
function inOneWord(text: string, most: number): string {
  const word = text.toWellFormed().replace(/[^\x21-\x7e]|%/gu, (character) => encodeURIComponent(character));
  if (word.length <= most) return word;
  const [, hex = ""] = sha256(word).split(":");
  return `${word.slice(0, most - 17)}~${hex.slice(0, 16)}`;
}
