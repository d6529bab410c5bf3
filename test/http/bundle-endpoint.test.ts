import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { connect as connectTcp } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type TLSSocket } from "node:tls";
import { type BundleEndpoint, openBundleEndpoint } from "../../src/http/bundle-endpoint.ts";
import { parseTrustBundle } from "../../src/identity/trust-bundle.ts";
import { validateX509Svid } from "../../src/identity/x509-validation.ts";
import { openNode, type TestNode } from "./node.ts";

const HALF_AN_HOUR = 1_800_000;

describe("the bundle endpoint", () => {
  let node: TestNode;
  let endpoint: BundleEndpoint;
  before(async () => {
    node = await openNode();
    endpoint = await openBundleEndpoint(node.v, { host: "127.0.0.1", port: 0, look: 20 });
  });
  after(async () => {
    await endpoint.close();
    await node.close();
  });

  async function ask(method: string, path: string) {
    const options = { method, path, host: "127.0.0.1", port: endpoint.port, agent: false };
    const asked = request({ ...options, rejectUnauthorized: false }).end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    const chain = [(response.socket as TLSSocket).getPeerCertificate().raw];
    return { response, chain, body: Buffer.concat(await response.toArray()) };
  }

  test("serves the bundle by an X.509-SVID of the server's own", async () => {
    const { response, chain, body } = await ask("GET", "/trust-bundle");
    assert.equal(response.statusCode, 200);
    assert.equal(response.headers["content-type"], "application/json");
    assert.match(response.headers["cache-control"] ?? "", /max-age=60/);
    const bundle = parseTrustBundle(body, node.v.authority.trustDomain);
    assert.equal(bundle.x509Authorities.length, 1);
    const { spiffeId } = validateX509Svid(chain, bundle, Date.now());
    assert.equal(spiffeId, "spiffe://vouchsafe.local/vouchsafe/server");
    assert.equal((await ask("HEAD", "/trust-bundle")).body.length, 0);
  });

  test("serves nothing else, and by no older TLS", async () => {
    for (const path of ["/", "/livez", "/trust-bundle/", "/trust-bundle?x", "/jwks.json"]) {
      assert.equal((await ask("GET", path)).response.statusCode, 404, path);
    }
    assert.equal((await ask("POST", "/trust-bundle")).response.statusCode, 405);
    const socket = connect({
      host: "127.0.0.1",
      port: endpoint.port,
      rejectUnauthorized: false,
      minVersion: "TLSv1.1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    });
    await assert.rejects(once(socket, "secureConnect"));
  });

  test("closes at once beside who never began the handshake", async () => {
    const other = await openBundleEndpoint(node.v, { host: "127.0.0.1", port: 0 });
    const mute = connectTcp(other.port, "127.0.0.1").on("error", () => {});
    await once(mute, "connect");
    const closed = other.close();
    // Longer than it is looked for such connections, and shorter than they would be waited for.
    await Promise.race([closed, sleep(3_000).then(() => assert.fail("it waits"))]);
    mute.destroy();
  });

  test("shows a new SVID before the old one ends", async () => {
    const serial = async () => {
      const { chain } = await ask("GET", "/trust-bundle");
      return chain[0]?.toString("hex");
    };
    const first = await serial();
    assert.equal(await serial(), first);
    node.advance(HALF_AN_HOUR + 1000);
    for (let left = 200; (await serial()) === first; left -= 1) {
      assert.ok(left > 0, "it shows the old one");
      await sleep(20);
    }
  });
});
