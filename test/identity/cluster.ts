import { randomUUID } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";

export const ISSUER = "https://kubernetes.default.svc.cluster.local";
export const AUDIENCE = "vouchsafe";

/** What the API server of Kubernetes 1.30 says of a pod's service account in the tokens that it projects. */
export interface PodOnNode {
  readonly namespace?: string;
  readonly serviceAccount?: string;
  readonly pod?: string;
  readonly node?: string;
}

/** A cluster's signing key, and the tokens that its API server projects into pods. */
export async function startCluster(alg: "RS256" | "ES256" = "RS256") {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);

  function claimsOf({
    namespace = "vouchsafe",
    serviceAccount = "agent",
    pod = randomUUID(),
    node = "worker-1.example.internal",
  }: PodOnNode = {}): JWTPayload {
    const now = Math.floor(Date.now() / 1000);
    return {
      iss: ISSUER,
      aud: [AUDIENCE],
      sub: `system:serviceaccount:${namespace}:${serviceAccount}`,
      iat: now,
      nbf: now,
      exp: now + 600,
      jti: randomUUID(),
      "kubernetes.io": {
        namespace,
        node: { name: node, uid: randomUUID() },
        pod: { name: `${serviceAccount}-x7k2p`, uid: pod },
        serviceaccount: { name: serviceAccount, uid: randomUUID() },
      },
    };
  }
  return {
    /** As `kubectl get --raw /openid/v1/jwks` prints it. */
    jwks: JSON.stringify({ keys: [{ use: "sig", ...jwk, kid, alg }] }),
    claimsOf,
    sign: (claims: JWTPayload, header: object = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(privateKey),
    project(pod: PodOnNode = {}): Promise<string> {
      return this.sign(claimsOf(pod));
    },
  };
}
