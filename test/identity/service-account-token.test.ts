import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JWTPayload } from "jose";
import { claimedIssuer, verifyServiceAccountToken } from "../../src/identity/service-account-token.ts";
import { parseJwks } from "../../src/identity/trust-bundle.ts";
import { AUDIENCE, ISSUER, startCluster } from "./cluster.ts";

const POD = "0c2b3d86-5d4f-4b0a-9f7a-3a3f6a0f3a11";

for (const alg of ["RS256", "ES256"] as const) {
  test(`a token signed by ${alg} says which pod holds it, and where that runs`, async () => {
    const cluster = await startCluster(alg);
    const token = await cluster.project({ pod: POD });
    const keys = parseJwks(Buffer.from(cluster.jwks));
    const read = verifyServiceAccountToken(token, { issuer: ISSUER, audience: AUDIENCE, keys }, Date.now());
    const { id, ...said } = read;
    assert.deepEqual(said, {
      serviceAccount: "vouchsafe/agent",
      pod: POD,
      podName: "agent-x7k2p",
      node: "worker-1.example.internal",
    });
    assert.equal(claimedIssuer(token), ISSUER);
    const [header, payload, signature = ""] = token.split(".");
    const respelt = `${header}.${payload}.${Buffer.from(signature, "base64url").toString("base64url")}`;
    assert.equal(
      verifyServiceAccountToken(respelt, { issuer: ISSUER, audience: AUDIENCE, keys }, Date.now()).id,
      id,
    );
  });
}

describe("refused:", async () => {
  const [cluster, other] = [await startCluster(), await startCluster()];
  const keys = parseJwks(Buffer.from(cluster.jwks));
  const verify = (token: string, now = Date.now()) =>
    verifyServiceAccountToken(token, { issuer: ISSUER, audience: AUDIENCE, keys }, now);
  const now = Math.floor(Date.now() / 1000);
  const bound = (change: object) => {
    const claims = cluster.claimsOf();
    return { "kubernetes.io": { ...(claims["kubernetes.io"] as object), ...change } };
  };

  const wrong: [what: string, claims: JWTPayload][] = [
    ["another issuer", { iss: "https://kubernetes.default.svc" }],
    ["another audience", { aud: ["https://kubernetes.default.svc"] }],
    ["no audience", { aud: undefined as never }],
    ["expired", { iat: now - 700, exp: now - 1 }],
    ["of later", { nbf: now + 60 }],
    ["made later", { iat: now + 60 }],
    ["too long a life", { iat: now, exp: now + 86_401 }],
    ["no end", { exp: undefined as never }],
    ["another subject", { sub: "system:serviceaccount:kube-system:agent" }],
    ["bound to nothing", { "kubernetes.io": undefined }],
    ["bound to a secret", bound({ pod: undefined, secret: { name: "agent", uid: POD } })],
    ["no node, as before 1.30", bound({ node: undefined })],
    ["a node that is a path", bound({ node: { name: "../../x", uid: POD } })],
    ["a pod that is none", bound({ pod: { name: "agent", uid: "x/y" } })],
  ];
  for (const [what, claims] of wrong) {
    test(what, async () => {
      const token = await cluster.sign({ ...cluster.claimsOf(), ...claims });
      assert.throws(() => verify(token), { code: "unauthenticated" });
    });
  }

  test("another cluster's key, by its own name or by this one's", async () => {
    const { kid } = JSON.parse(cluster.jwks).keys[0];
    assert.throws(() => verify("x"), { code: "unauthenticated" });
    for (const header of [{}, { kid }]) {
      const token = await other.sign(other.claimsOf(), header);
      assert.throws(() => verify(token), { code: "unauthenticated" });
    }
    const [header = "", payload = ""] = (await cluster.project()).split(".");
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    assert.throws(() => verify(`${header}.${payload}.`), { code: "unauthenticated" });
    assert.throws(() => verify(`${none}.${payload}.`), { code: "unauthenticated" });
  });
});
