import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request as ask } from "node:https";
import { after, before, describe, test } from "node:test";
import type { TLSSocket } from "node:tls";
import { closeDoors } from "../../../src/http/drain.ts";
import { openMtlsEndpoint } from "../../../src/http/mtls-endpoint.ts";
import { createJwtMinter } from "../../../src/identity/jwt-svid.ts";
import { parseSpiffeId, parseTrustDomain, spiffeId } from "../../../src/identity/spiffe-id.ts";
import { writeTrustBundle } from "../../../src/identity/trust-bundle.ts";
import { createX509Minter, serialFrom } from "../../../src/identity/x509-svid.ts";
import { validateX509Svid } from "../../../src/identity/x509-validation.ts";
import { activatePolicies, readPolicies } from "../../../src/services/activation/activate-policies.ts";
import { issueJwtSvids } from "../../../src/services/identities/issue-svid.ts";
import { openQuarantine } from "../../../src/services/incidents/quarantine.ts";
import { writePem } from "../../../src/x509/pem.ts";
import { fails, succeeds } from "../../http/calls.ts";
import type { TestNode } from "../../http/node.ts";
import { GROUNDS, testAuthority } from "../../identity/trust-domain.ts";
import { issue, keyPem, pemOf } from "../../trust/certificates.ts";
import {
  agentCaller,
  fetchX509,
  type IdentityHouse,
  joinThroughDoor,
  newKey,
  openIdentityHouse,
  proven,
  release,
  SELECTORS,
  untilRevoked,
} from "../identities/identity-house.ts";
import { callerWith } from "../release-node.ts";

const AUDIENCE = "https://vouchsafe.example.org";
const WHO = "GET /whoami";
const peer = testAuthority("peer.example", Date.now());
const stranger = testAuthority("stranger.example", Date.now());
const OURS = parseTrustDomain("vouchsafe.local");
/** Six seconds: longer than a caller is remembered. */
const FORGOTTEN = 6_000;

const access = (name: string, svid: string, spiffeIds: string) => `
apiVersion: vouchsafe.dev/v1
kind: AccessPolicy
metadata: { name: ${name} }
spec:
  svid: { ${svid} }
  rules:
    - { spiffeIds: ${spiffeIds}, roles: [issuer], policies: [release] }
---`;
const POLICIES = `
apiVersion: vouchsafe.dev/v1
kind: FederatedTrustDomain
metadata: { name: peer }
spec: { trustDomain: peer.example, trustDomainBundle: '${JSON.stringify(writeTrustBundle(peer.bundle))}' }
---${access("own", `trustDomain: ${OURS}, audience: "${AUDIENCE}"`, `["spiffe://${OURS}/**"]`)}
${access("peers", `trustDomain: peer.example, audience: "${AUDIENCE}"`, '["spiffe://peer.example/broker/*"]')}
${access("strangers", `trustDomain: stranger.example, audience: "${AUDIENCE}"`, '["spiffe://stranger.example/**"]')}`;

describe("workloads that call as themselves", () => {
  let house: IdentityHouse;
  let node: TestNode;
  let port: number;
  before(async () => {
    house = await openIdentityHouse();
    node = await house.open();
    const operator = callerWith(node, ["operator"]);
    const { documents, policySet: previous } = await readPolicies(node.v, operator);
    const added = { name: "access.yaml", text: POLICIES };
    await activatePolicies(node.v, operator, { documents: [...documents, added], previous });
    ({ port } = await openMtlsEndpoint(node.app, node.v, { host: "127.0.0.1", port: 0 }));
  });
  after(() => house.close());

  const refused = (as: string, code = "unauthenticated") => fails(node.app, code, WHO, { as });

  describe("by a JWT-SVID", () => {
    async function own(audiences = [AUDIENCE]) {
      const { digest } = await release(house, node);
      const { svids } = await issueJwtSvids(node.v, agentCaller(node), {
        selectors: SELECTORS,
        components: { executable: [digest] },
        audiences,
      });
      const [svid] = svids;
      assert.ok(svid);
      return { ...svid, digest };
    }
    function minted(path: string, { authority = peer, expiresAt = Date.now() + 300_000 } = {}) {
      return createJwtMinter(authority)({
        spiffeId: spiffeId(authority.trustDomain, path),
        audiences: [AUDIENCE],
        issuedAt: Date.now(),
        expiresAt,
        jti: randomUUID(),
        grounds: GROUNDS,
      });
    }

    test("of ours are their SPIFFE ID, until it is taken back", async () => {
      const { token, spiffeId, digest } = await own();
      const answer = await succeeds(node.app, 200, WHO, { as: token });
      assert.deepEqual(
        [answer.caller, answer.name, answer.roles, answer.rule],
        [spiffeId, spiffeId, ["issuer"], { policy: "own", number: 1 }],
      );
      await openQuarantine(node.v, callerWith(node, ["operator"]), { artifact: digest, reason: "leaks" });
      await untilRevoked(node, digest);
      node.advance(FORGOTTEN);
      assert.match((await refused(token)).detail, /was revoked/);
    });

    test("of ours are not taken for others' audience, and not when the log has not granted them", async () => {
      await refused((await own(["https://sts.example.org"])).token);
      assert.match(
        (await refused((await own([AUDIENCE, "https://sts.example.org"])).token)).detail,
        /for others too/,
      );
      const signing = node.v.authority.current();
      const forged = await signing.jwt({
        spiffeId: spiffeId(OURS, "/forged"),
        audiences: [AUDIENCE],
        issuedAt: node.v.clock(),
        expiresAt: node.v.clock() + 300_000,
        jti: randomUUID(),
        grounds: GROUNDS,
      });
      assert.match((await refused(forged)).detail, /has not granted/);
    });

    test("of a trust domain that is federated with are taken by a rule, and of another are not", async () => {
      const answer = await succeeds(node.app, 200, WHO, { as: await minted("/broker/a") });
      assert.equal(answer.caller, "spiffe://peer.example/broker/a");
      const { spiffeId } = await refused(await minted("/app"), "no-access-rule");
      assert.equal(spiffeId, "spiffe://peer.example/app");
      await refused(await minted("/broker/a", { expiresAt: Date.now() - 1 }));
      await refused(await minted("/vouchsafe/agent/a"));
      assert.match(
        (await refused(await minted("/a", { authority: stranger }))).detail,
        /bundle is not known/,
      );
      const posing = { ...stranger, trustDomain: peer.trustDomain };
      assert.match(
        (await refused(await minted("/broker/a", { authority: posing }))).detail,
        /does not have its key/,
      );
    });
  });

  describe("by mTLS", () => {
    interface Shown {
      readonly cert: string;
      readonly key: string;
    }
    const keyOf = (key: ReturnType<typeof newKey>["key"]) =>
      key.export({ format: "pem", type: "pkcs8" }).toString();
    const pem = (chain: readonly Uint8Array[]) => chain.map((der) => writePem("CERTIFICATE", der)).join("");

    async function own() {
      const { digest } = await release(house, node);
      const { svids, key } = await fetchX509(node, agentCaller(node), digest);
      const [svid] = svids;
      assert.ok(svid);
      const chain = svid.chain.map((der) => Buffer.from(der, "base64"));
      return { digest, serial: svid.serial, spiffeId: svid.spiffeId, cert: pem(chain), key: keyOf(key) };
    }
    async function minted(
      path: string,
      authority = peer,
      serial = serialFrom(randomBytes(16)),
    ): Promise<Shown> {
      const { key, spki } = newKey();
      const svid = await createX509Minter(authority)({
        spki,
        spiffeId: spiffeId(authority.trustDomain, path),
        serial,
        notBefore: Date.now() - 60_000,
        notAfter: Date.now() + 600_000,
      });
      return { cert: pem([svid, ...authority.chain]), key: keyOf(key) };
    }
    async function call(shown: Partial<Shown>, headers: Record<string, string> = {}, agent?: Agent) {
      const asked = ask({
        host: "127.0.0.1",
        port,
        path: "/whoami",
        ...shown,
        headers,
        agent: agent ?? false,
        rejectUnauthorized: false,
      }).end();
      const [response] = (await once(asked, "response")) as [IncomingMessage];
      const socket = response.socket as TLSSocket;
      const isReused = socket.isSessionReused();
      const server = socket.getPeerCertificate().raw;
      const body = JSON.parse(Buffer.concat(await response.toArray()).toString());
      return { status: response.statusCode, body, server, isReused, socket };
    }

    test("of ours are their SPIFFE ID, and the server shows its own", async () => {
      const svid = await own();
      const { status, body, server } = await call(svid);
      assert.equal(status, 200, JSON.stringify(body));
      assert.deepEqual([body.caller, body.rule], [svid.spiffeId, { policy: "own", number: 1 }]);
      const shown = validateX509Svid([server], node.v.authority.bundle(), Date.now());
      assert.equal(shown.spiffeId, parseSpiffeId(`spiffe://${OURS}/vouchsafe/server`));
    });

    test("of ours are refused when they were taken back, and when the log has not granted them", async () => {
      const svid = await own();
      assert.equal((await call(svid)).status, 200);
      await openQuarantine(node.v, callerWith(node, ["operator"]), {
        artifact: svid.digest,
        reason: "leaks",
      });
      await untilRevoked(node, svid.digest);
      node.advance(FORGOTTEN);
      const { status, body } = await call(svid);
      assert.deepEqual([status, /was revoked/.test(body.detail)], [401, true]);

      const signing = node.v.authority.current();
      const forge = async (serial: Uint8Array) => {
        const { key, spki } = newKey();
        const times = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 600_000 };
        const id = parseSpiffeId((await own()).spiffeId);
        const forged = await signing.x509({ spki, spiffeId: id, serial, ...times });
        return call({ cert: pem([forged, ...signing.chain]), key: keyOf(key) });
      };
      for (const serial of [serialFrom(randomBytes(16)), Buffer.from((await own()).serial, "hex")])
        assert.match((await forge(serial)).body.detail, /has not granted/);
    });

    test("of a trust domain that is federated with are taken by a rule", async () => {
      assert.equal((await call(await minted("/broker/a"))).body.caller, "spiffe://peer.example/broker/a");
      assert.equal((await call(await minted("/app"))).body.code, "no-access-rule");
      assert.equal((await call(await minted("/vouchsafe/server"))).status, 401);
      assert.equal((await call(await minted("/a", stranger))).status, 401);
      const posing = { ...stranger, trustDomain: peer.trustDomain };
      assert.equal((await call(await minted("/broker/a", posing))).status, 401);
    });

    test("are nobody with another's certificate, with none, or in a project without rules", async () => {
      const web = issue("web", { issuer: issue("root"), ca: false });
      assert.equal((await call({ cert: pemOf(web), key: keyPem(web) })).status, 401);
      assert.equal((await call({})).status, 401);
      const svid = await minted("/broker/a");
      assert.equal((await call(svid, { "vouchsafe-project": "payments" })).status, 401);
      assert.equal((await call(svid)).status, 200);
    });

    test("are who the request says, where it says anything", async () => {
      const svid = await minted("/broker/a");
      const authorization = `Bearer ${await node.token(["auditor"], { name: "an auditor" })}`;
      assert.equal((await call(svid, { authorization })).body.name, "an auditor");
      for (const wrong of ["Bearer vouchsafe_x", "Basic YTpi", ""])
        assert.equal((await call(svid, { authorization: wrong })).status, 401, wrong);
    });

    test("are agents by their proofs, and not by their certificates", async () => {
      const agent = await joinThroughDoor(node, "node-9");
      const shown = { cert: pem(agent.chain), key: keyOf(agent.key) };
      assert.equal((await call(shown)).status, 401);
      const { headers } = proven(agent, { method: "GET", path: "/whoami" });
      assert.deepEqual((await call(shown, headers)).body.roles, ["agent"]);
    });

    test("show their certificate on each connection: no session is resumed", async () => {
      const svid = await minted("/broker/a");
      for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
        const agent = new Agent({ keepAlive: false, maxCachedSessions: 10, maxVersion });
        const answers = [];
        for (const _ of [1, 2, 3]) answers.push(await call(svid, {}, agent));
        for (const { status, isReused } of answers)
          assert.deepEqual([status, isReused], [200, false], maxVersion);
      }
    });

    // The last one: no door is open after it.
    test("are answered when the doors close while they ask", async () => {
      const authorization = `Bearer ${await node.token(["issuer"], { mayChoosePolicy: true })}`;
      const headers = { authorization, "content-type": "application/json", expect: "100-continue" };
      const options = { host: "127.0.0.1", port, path: "/verify-digest", method: "POST", headers };
      const asked = ask({ ...options, agent: false, rejectUnauthorized: false });
      asked.flushHeaders();
      await once(asked, "continue");
      const closed = closeDoors(node.app);
      asked.end(JSON.stringify({ digests: [`sha256:${"0".repeat(64)}`], policy: "release" }));
      const [response] = (await once(asked, "response")) as [IncomingMessage];
      assert.equal(response.statusCode, 200, Buffer.concat(await response.toArray()).toString());
      await closed;
      await assert.rejects(call({}), { code: "ECONNREFUSED" });
    });
  });
});
