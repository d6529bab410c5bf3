import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";

export const AUDIENCE = "https://vouchsafe.example.com";

export interface OidcIssuerOptions {
  /** PEM of a certificate for 127.0.0.1, and its key; without, the issuer is asked by http. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly alg?: "RS256" | "ES256";
  /** `iss` of its tokens in place of its own URL: of an issuer whose keys are written into a policy. */
  readonly issuer?: string;
  /** Seconds by which its clock is ahead. */
  readonly ahead?: () => number;
}

/** `undefined` leaves out what is there. */
type Claims = Readonly<Record<string, unknown>>;

/** An issuer of OIDC tokens on this machine, with OpenID Connect Discovery; its tokens are those of GitHub Actions. */
export type OidcIssuer = Awaited<ReturnType<typeof startOidcIssuer>>;

async function newKey(alg: string) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return { privateKey, jwk: { ...jwk, use: "sig", alg, kid: await calculateJwkThumbprint(jwk) } };
}

/** Names a branch of `acme/widget` that has a workflow, as GitHub's tokens do. */
const WORKFLOW = {
  sub: "repo:acme/widget:ref:refs/heads/main",
  ref: "refs/heads/main",
  ref_type: "branch",
  ref_protected: "true",
  sha: "3f2c1b0a9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b",
  repository: "acme/widget",
  repository_id: "736528123",
  repository_owner: "acme",
  repository_owner_id: "9919",
  repository_visibility: "public",
  actor: "alice",
  actor_id: "583231",
  event_name: "push",
  workflow: "release",
  workflow_ref: "acme/widget/.github/workflows/release.yml@refs/heads/main",
  job_workflow_ref: "acme/widget/.github/workflows/release.yml@refs/heads/main",
  runner_environment: "github-hosted",
  run_id: "9876543210",
  run_number: "42",
  run_attempt: "1",
};

export async function startOidcIssuer(options: OidcIssuerOptions = {}) {
  const { tls, alg = "RS256", ahead = () => 0 } = options;
  const keys = [await newKey(alg)];
  const asked: string[] = [];
  let isOut = false;
  const answer: RequestListener = (request, response) => {
    asked.push(request.url ?? "");
    if (isOut) return void request.socket.destroy();
    const documents: Readonly<Record<string, unknown>> = {
      "/.well-known/openid-configuration": {
        issuer: url,
        jwks_uri: `${url}/jwks`,
        response_types_supported: ["id_token"],
      },
      "/jwks": { keys: keys.map(({ jwk }) => jwk) },
    };
    const document = documents[request.url ?? ""];
    response.writeHead(document === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(document ?? {}));
  };
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer = options.issuer ?? url;

  /** Signs what is given, and nothing besides, by the newest key. */
  async function sign(
    claims: JWTPayload,
    header: { readonly crit?: string[]; readonly [member: string]: unknown } = {},
  ): Promise<string> {
    const [key] = keys;
    if (key === undefined) throw new Error("the issuer has no key");
    return new SignJWT(claims)
      .setProtectedHeader({ alg, kid: key.jwk.kid, typ: "JWT", ...header })
      .sign(key.privateKey, { crit: Object.fromEntries((header.crit ?? []).map((name) => [name, true])) });
  }
  /** The claims of a token for one job, with others in their place; `undefined` leaves one out. */
  function claims(others: Claims = {}): JWTPayload {
    const now = Math.floor(Date.now() / 1000) + ahead();
    const all = {
      iss: issuer,
      aud: AUDIENCE,
      jti: randomUUID(),
      iat: now,
      nbf: now - 300,
      exp: now + 300,
      ...WORKFLOW,
    };
    return { ...all, ...others };
  }
  return {
    issuer,
    sign,
    claims,
    /** A token of GitHub Actions' shape. */
    token: (others: Claims = {}) => sign(claims(others)),
    /** As `GET jwks_uri` answers. */
    jwks: () => JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }),
    /** The paths that were asked for, in order. */
    asked,
    /** Signs by a new key from now on; the old one goes on to be served if it is kept. */
    async rotate({ keep = true } = {}) {
      if (!keep) keys.length = 0;
      keys.unshift(await newKey(alg));
    },
    /** Ends connections without an answer, until it is over. */
    outage(out: boolean) {
      isOut = out;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The text of an AccessPolicy by which jobs of `acme/widget` on its main branch upload. */
export function accessPolicy(
  issuer: string,
  { name = "pipelines", rules = UPLOADERS, oidc = "" } = {},
): string {
  return `
apiVersion: vouchsafe.dev/v1
kind: AccessPolicy
metadata: { name: ${name} }
spec:
  oidc:
    use: github-actions
    issuer: ${issuer}
    audience: ${AUDIENCE}
${oidc}
  rules:
${rules}
`;
}

const UPLOADERS = `    - claims: { repository: acme/widget, ref: refs/heads/main }
      roles: [uploader]`;
