import assert from "node:assert/strict";
import { once } from "node:events";
import { get } from "node:https";
import { after, before, describe, test } from "node:test";
import { createRemoteJWKSet, customFetch, jwtVerify } from "jose";
import { issueJwtSvids } from "../../src/services/identities/issue-svid.ts";
import { webCertificate } from "../services/federation/bundle-server.ts";
import {
  agentCaller,
  type IdentityHouse,
  openIdentityHouse,
  release,
  SELECTORS,
} from "../services/identities/identity-house.ts";
import type { TestNode } from "./node.ts";
import { openNode } from "./node.ts";
import { serveByTls } from "./tls-proxy.ts";

const AUDIENCE = "https://sts.example.org";

describe("OIDC discovery", () => {
  const web = webCertificate();
  let house: IdentityHouse;
  before(async () => {
    house = await openIdentityHouse();
  });
  after(() => house.close());

  /** What `fetch` would do, if it could be told whom to believe. */
  async function fetchTrusting(url: string): Promise<Response> {
    const [response] = await once(get(url, { ca: web.root, agent: false }), "response");
    return new Response(Buffer.concat(await response.toArray()), { status: response.statusCode });
  }

  for (const [algorithm, path] of [
    ["ES256", ""],
    ["RS256", "/spiffe"],
  ] as const) {
    test(`lets jose validate a JWT-SVID by its issuer alone (${algorithm}, issuer's path "${path}")`, async () => {
      let node: TestNode | undefined;
      const proxy = await serveByTls(web, () => node as TestNode, path);
      const issuer = proxy.url;
      try {
        const settings: Record<string, string> = { VOUCHSAFE_OIDC_ISSUER: issuer };
        if (algorithm !== "ES256") {
          // An authority of its own, in the place of the one that the house's nodes share.
          for (const file of ["CA_CERT", "CA_KEY", "JWT_KEY"]) settings[`VOUCHSAFE_${file}`] = "";
          settings.VOUCHSAFE_JWT_ALGORITHM = algorithm;
        }
        node = await house.open(settings);
        const { digest } = await release(house, node);
        const { svids } = await issueJwtSvids(node.v, agentCaller(node), {
          audiences: [AUDIENCE],
          selectors: SELECTORS,
          components: { executable: [digest] },
        });
        const discovered = await fetchTrusting(`${issuer}/.well-known/openid-configuration`);
        const configuration = (await discovered.json()) as Record<string, string>;
        assert.equal(configuration.issuer, issuer);
        assert.deepEqual(configuration.id_token_signing_alg_values_supported, [algorithm]);
        const keys = createRemoteJWKSet(new URL(configuration.jwks_uri ?? ""), {
          [customFetch]: fetchTrusting,
        });
        const { payload, protectedHeader } = await jwtVerify(svids[0]?.token ?? "", keys, {
          issuer,
          audience: AUDIENCE,
          requiredClaims: ["sub", "exp", "iat"],
        });
        assert.equal(protectedHeader.alg, algorithm);
        assert.match(payload.sub ?? "", /^spiffe:\/\/vouchsafe\.local\/widget\//);
        await assert.rejects(jwtVerify(svids[0]?.token ?? "", keys, { issuer: "https://another.example" }));
      } finally {
        await proxy.close();
      }
    });
  }

  test("is not there without an issuer", async () => {
    const node = await openNode();
    try {
      const { statusCode } = await node.app.inject("/.well-known/openid-configuration");
      assert.equal(statusCode, 404);
    } finally {
      await node.close();
    }
  });
});
