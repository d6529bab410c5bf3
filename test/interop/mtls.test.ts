/**
 * Clients of others call by mTLS with an X.509-SVID: go-spiffe, curl and OpenSSL. go-spiffe comes from Go's registry, so only
 * where VOUCHSAFE_INTEROP=1 asks for it.
 */

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openMtlsEndpoint } from "../../src/http/mtls-endpoint.ts";
import { writeTrustBundle } from "../../src/identity/trust-bundle.ts";
import { activatePolicies, readPolicies } from "../../src/services/activation/activate-policies.ts";
import { writePem } from "../../src/x509/pem.ts";
import type { TestNode } from "../http/node.ts";
import {
  agentCaller,
  fetchX509,
  type IdentityHouse,
  openIdentityHouse,
  release,
} from "../services/identities/identity-house.ts";
import { callerWith } from "../services/release-node.ts";
import { skipInterop } from "../support/interop.ts";

const run = promisify(execFile);
const INSTALL_TIMEOUT = 300_000;
const SERVER = "spiffe://vouchsafe.local/vouchsafe/server";
const POLICY = `
apiVersion: vouchsafe.dev/v1
kind: AccessPolicy
metadata: { name: own }
spec:
  svid: { trustDomain: vouchsafe.local }
  rules: [{ spiffeIds: ["spiffe://vouchsafe.local/**"], roles: [issuer] }]
`;

describe("mTLS with clients of others", { skip: skipInterop("go"), timeout: INSTALL_TIMEOUT }, () => {
  let directory: string;
  let house: IdentityHouse;
  let node: TestNode;
  let url: string;
  let spiffeId: string;
  const path = (name: string) => join(directory, name);
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-mtls-"));
    house = await openIdentityHouse();
    node = await house.open();
    const operator = callerWith(node, ["operator"]);
    const { documents, policySet: previous } = await readPolicies(node.v, operator);
    await activatePolicies(node.v, operator, {
      documents: [...documents, { name: "access.yaml", text: POLICY }],
      previous,
    });
    const { port } = await openMtlsEndpoint(node.app, node.v, { host: "127.0.0.1", port: 0 });
    url = `https://127.0.0.1:${port}/whoami`;
    const { digest } = await release(house, node);
    const { svids, key } = await fetchX509(node, agentCaller(node), digest);
    const [svid] = svids;
    assert.ok(svid);
    ({ spiffeId } = svid);
    const chain = svid.chain.map((der) => writePem("CERTIFICATE", Buffer.from(der, "base64")));
    await writeFile(path("svid.pem"), chain.join(""));
    await writeFile(path("key.pem"), key.export({ format: "pem", type: "pkcs8" }));
    const bundle = node.v.authority.bundle();
    await writeFile(path("bundle.json"), JSON.stringify(writeTrustBundle(bundle)));
    const roots = bundle.x509Authorities.map(({ der }) => writePem("CERTIFICATE", der));
    await writeFile(path("roots.pem"), roots.join(""));
  });
  after(async () => {
    await house.close();
    await rm(directory, { recursive: true, force: true });
  });

  test("go-spiffe, which believes the server by its SPIFFE ID", async () => {
    const sources = fileURLToPath(new URL("mtls/", import.meta.url));
    await run("go", ["build", "-o", path("client"), "."], { cwd: sources });
    const call = (server: string) =>
      run(path("client"), [url, path("svid.pem"), path("key.pem"), path("bundle.json"), server]);
    const { stdout } = await call(SERVER);
    assert.match(stdout, /^200 /);
    assert.equal(JSON.parse(stdout.slice(4)).caller, spiffeId);
    await assert.rejects(call("spiffe://vouchsafe.local/other"), /unexpected ID/);
  });

  // It knows names of hosts and no SPIFFE IDs.
  test("curl", async () => {
    const { stdout } = await run("curl", ["-sk", "--cert", path("svid.pem"), "--key", path("key.pem"), url]);
    assert.equal(JSON.parse(stdout).caller, spiffeId);
    const { stdout: nobody } = await run("curl", ["-sk", url]);
    assert.equal(JSON.parse(nobody).code, "unauthenticated");
  });

  for (const version of ["-tls1_2", "-tls1_3"]) {
    test(`openssl s_client ${version}, which verifies the chain of the server`, async () => {
      const { host, pathname } = new URL(url);
      const files = ["-cert", path("svid.pem"), "-cert_chain", path("svid.pem"), "-key", path("key.pem")];
      const client = spawn("openssl", [
        ...["s_client", "-quiet", "-verify_return_error", version, "-connect", host],
        ...["-CAfile", path("roots.pem"), ...files],
      ]);
      client.stdin.write(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      const output = client.stdout.setEncoding("utf8").toArray();
      await once(client, "close");
      assert.ok((await output).join("").includes(`"caller":"${spiffeId}"`), (await output).join(""));
    });
  }
});
