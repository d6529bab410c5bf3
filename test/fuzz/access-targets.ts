import { generateKeyPairSync, sign } from "node:crypto";
import { VouchsafeError } from "../../src/errors.ts";
import { parseIssuerKeys } from "../../src/identity/issuer-keys.ts";
import { readToken, verifyOidcToken } from "../../src/identity/oidc-token.ts";
import { oidcCallerName } from "../../src/policy/access-name.ts";
import { matchClaims } from "../../src/policy/access-policy.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { AUDIENCE, accessPolicy } from "../support/oidc-issuer.ts";
import type { Target } from "./targets.ts";

const ISSUER = "https://ci.example";
const NOW = 1_700_000_000;
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const rules = `    - claims: { repository: "acme/*", /kubernetes.io/pod/name: [web, 7, true] }
      roles: [uploader]`;
const text = accessPolicy(ISSUER, { rules });

/** What strangers send as credentials, and what issuers answer. */
export function accessTargets(): Target[] {
  const spec = loadPolicySet([{ name: "access.yaml", text }]).access.get("pipelines")?.spec;
  if (spec?.case !== "oidc") throw new TypeError("the policy is about OIDC callers");
  const times = { iat: NOW - 10, nbf: NOW - 10, exp: NOW + 300 };
  const claims = {
    ...{ iss: ISSUER, aud: [AUDIENCE], sub: "repo:acme/widget", actor: "alice", ...times },
    ...{ repository: "acme/widget", "kubernetes.io": { pod: { name: ["web"] } } },
  };
  const payload = Buffer.from(JSON.stringify(claims));
  const terms = { issuer: ISSUER, audience: AUDIENCE, key: { key: publicKey } };
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "1", use: "sig", alg: "ES256" };
  return [
    {
      name: "a bearer token",
      seeds: [Buffer.from(signed(payload))],
      read: (bytes) => verifyOidcToken(readToken(Buffer.from(bytes).toString("latin1")), terms, NOW * 1000),
      refusals: [VouchsafeError],
    },
    {
      name: "the claims of a token, signed anew",
      seeds: [payload],
      read(bytes) {
        const token = verifyOidcToken(readToken(signed(bytes)), terms, NOW * 1000);
        oidcCallerName({ name: "pipelines" }, spec.platform, token.claims);
        return matchClaims(spec.rules, token.claims);
      },
      refusals: [VouchsafeError],
    },
    {
      name: "the keys of an issuer",
      seeds: [Buffer.from(JSON.stringify({ keys: [jwk, { ...jwk, kid: "2", alg: undefined }] }))],
      read: parseIssuerKeys,
      refusals: [VouchsafeError],
    },
  ];
}

function signed(payload: Uint8Array): string {
  const header = Buffer.from(JSON.stringify({ alg: "ES256", kid: "1", typ: "JWT" })).toString("base64url");
  const text = `${header}.${Buffer.from(payload).toString("base64url")}`;
  const signature = sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}
