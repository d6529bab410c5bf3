import { generateKeyPairSync, sign } from "node:crypto";
import { type ActionsClaims, actionsIdentity } from "./github-actions.ts";

/** The claim that the local Fulcio copies into the certificate's subject; the real one composes it. */
export const SUBJECT_CLAIM = "subject_uri";

const issuerKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;

/** A compact JWS (ES256) over the claims, by an issuer key that lives as long as this process. */
export function oidcToken(claims: ActionsClaims): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "ES256", typ: "JWT" })}.${part({
    ...claims,
    aud: "sigstore",
    [SUBJECT_CLAIM]: actionsIdentity(claims),
  })}`;
  const signature = sign("sha256", Buffer.from(signed), { key: issuerKey, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}
