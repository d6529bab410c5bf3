/**
 * go-spiffe's federation package fetches our bundle in both profiles and serves one that we fetch, and PyJWT validates
 * a JWT-SVID by OIDC discovery. Both come from their registries, so only where VOUCHSAFE_INTEROP=1 asks for it.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openBundleEndpoint } from "../../src/http/bundle-endpoint.ts";
import { parseSpiffeId, parseTrustDomain } from "../../src/identity/spiffe-id.ts";
import { parseTrustBundle, writeTrustBundle } from "../../src/identity/trust-bundle.ts";
import { readOutboundRules } from "../../src/outbound/rules.ts";
import { fetchBundle } from "../../src/services/federation/fetch-bundle.ts";
import { issueJwtSvids } from "../../src/services/identities/issue-svid.ts";
import type { TestNode } from "../http/node.ts";
import { serveByTls } from "../http/tls-proxy.ts";
import { webCertificate } from "../services/federation/bundle-server.ts";
import {
  agentCaller,
  type IdentityHouse,
  openIdentityHouse,
  release,
  SELECTORS,
} from "../services/identities/identity-house.ts";
import { skipInterop } from "../support/interop.ts";
import { startProgram } from "../workload/run-workload.ts";

const run = promisify(execFile);
const INSTALL_TIMEOUT = 300_000;
const AUDIENCE = "https://sts.example.org";

const PYTHON = `
import json, ssl, sys, urllib.request
import jwt
issuer, audience, roots, token = sys.argv[1:]
context = ssl.create_default_context(cafile=roots)
configuration = json.load(urllib.request.urlopen(issuer + "/.well-known/openid-configuration", context=context))
keys = jwt.PyJWKClient(configuration["jwks_uri"], ssl_context=context)
key = keys.get_signing_key_from_jwt(token)
algorithms = configuration["id_token_signing_alg_values_supported"]
claims = jwt.decode(token, key, algorithms=algorithms, audience=audience, issuer=configuration["issuer"],
                    options={"require": ["iss", "sub", "aud", "exp", "iat"]})
print(json.dumps(claims))
`;

describe("federation with what others made", { timeout: INSTALL_TIMEOUT }, () => {
  const web = webCertificate();
  let directory: string;
  const path = (name: string) => join(directory, name);
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-interop-"));
    await writeFile(path("root.pem"), web.root);
  });
  after(() => rm(directory, { recursive: true, force: true }));

  async function withNode(
    work: (node: TestNode, url: string, house: IdentityHouse) => Promise<void>,
    issues = false,
    algorithm = "ES256",
  ): Promise<void> {
    let node: TestNode | undefined;
    const proxy = await serveByTls(web, () => node as TestNode);
    const house = await openIdentityHouse();
    try {
      const ownKeys = { VOUCHSAFE_CA_CERT: "", VOUCHSAFE_CA_KEY: "", VOUCHSAFE_JWT_KEY: "" };
      node = await house.open({
        ...ownKeys,
        VOUCHSAFE_JWT_ALGORITHM: algorithm,
        ...(issues && { VOUCHSAFE_OIDC_ISSUER: proxy.url }),
      });
      await work(node, proxy.url, house);
    } finally {
      await proxy.close();
      await house.close();
    }
  }

  test("go-spiffe", { skip: skipInterop("go"), timeout: INSTALL_TIMEOUT }, async (t) => {
    const program = path("federation");
    const cwd = fileURLToPath(new URL("federation", import.meta.url));
    const isThere = await run("go", ["mod", "download"], { cwd }).then(
      () => true,
      () => false,
    );
    if (!isThere) return t.skip("go-spiffe cannot be downloaded here");
    await run("go", ["build", "-o", program, "."], { cwd });
    await withNode(async (node, url) => {
      const { v } = node;
      const endpoint = await openBundleEndpoint(v, { host: "127.0.0.1", port: 0 });
      try {
        const bundle = v.authority.bundle();
        await writeFile(path("bundle.json"), JSON.stringify(writeTrustBundle(bundle)));
        const expected = {
          trustDomain: "vouchsafe.local",
          x509Authorities: 1,
          jwtAuthorities: [...bundle.jwtAuthorities.keys()],
          refreshHint: 300,
        };
        const fetchedByWeb = ["web", "vouchsafe.local", `${url}/trust-bundle`, path("root.pem")];
        assert.deepEqual(JSON.parse((await run(program, fetchedByWeb)).stdout), expected);
        const spiffeUrl = `https://localhost:${endpoint.port}/trust-bundle`;
        const server = "spiffe://vouchsafe.local/vouchsafe/server";
        const fetched = ["spiffe", "vouchsafe.local", spiffeUrl, server, path("bundle.json")];
        assert.deepEqual(JSON.parse((await run(program, fetched)).stdout), expected);
        const other = await run(program, fetched.with(3, `${server}2`)).catch(({ stdout }) => ({ stdout }));
        assert.match(JSON.parse(other.stdout).error, /server2|unexpected ID/);
      } finally {
        await endpoint.close();
      }
    });

    const serving = startProgram(program, ["serve", "go.example"]);
    try {
      const { url, bundle: document } = await serving.next();
      const trustDomain = parseTrustDomain("go.example");
      const fetched = await fetchBundle({
        trustDomain,
        endpoint: {
          url,
          profile: { case: "https_spiffe", endpointId: parseSpiffeId("spiffe://go.example/server") },
        },
        authenticatedBy: parseTrustBundle(Buffer.from(document), trustDomain),
        now: Date.now(),
        rules: readOutboundRules(["localhost", "127.0.0.1"]).rules,
      });
      assert.ok(fetched.case === "fetched", JSON.stringify(fetched));
      assert.deepEqual([fetched.bundle.sequence, fetched.bundle.refreshHint], [3, 60]);
    } finally {
      await serving.stop();
    }
  });

  test("PyJWT", { skip: skipInterop("python3"), timeout: INSTALL_TIMEOUT }, async (t) => {
    const install = ["install", "--quiet", "pyjwt[crypto]==2.15.1"];
    const isInstalled = await run("python3", ["-m", "venv", path("venv")])
      .then(() => run(path("venv/bin/pip"), install))
      .then(
        () => true,
        () => false,
      );
    if (!isInstalled) return t.skip("PyJWT cannot be installed here");
    await writeFile(path("validate.py"), PYTHON);
    for (const algorithm of ["ES256", "RS256"]) {
      const work = async (node: TestNode, issuer: string, house: IdentityHouse) => {
        const { digest } = await release(house, node);
        const { svids } = await issueJwtSvids(node.v, agentCaller(node), {
          audiences: [AUDIENCE],
          selectors: SELECTORS,
          components: { executable: [digest] },
        });
        const args = [path("validate.py"), issuer, AUDIENCE, path("root.pem"), svids[0]?.token ?? ""];
        const claims = JSON.parse((await run(path("venv/bin/python"), args)).stdout);
        assert.equal(claims.sub, svids[0]?.spiffeId);
        const refused = run(path("venv/bin/python"), args.with(2, "https://else.example.org"));
        await assert.rejects(refused, /InvalidAudienceError/);
      };
      await withNode(work, true, algorithm);
    }
  });
});
