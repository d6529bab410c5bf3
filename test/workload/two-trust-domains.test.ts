/** Two servers of different trust domains, an agent of each on this host, and a workload of one that calls one of the other. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, createServer, type TLSSocket } from "node:tls";
import { type BundleEndpoint, openBundleEndpoint } from "../../src/http/bundle-endpoint.ts";
import { writeTrustBundle } from "../../src/identity/trust-bundle.ts";
import { activatePolicies, readPolicies } from "../../src/services/activation/activate-policies.ts";
import { pushAttestation } from "../../src/services/evidence/push-attestation.ts";
import { readFederation } from "../../src/services/federation/read-federation.ts";
import { refreshBundles } from "../../src/services/federation/refresh-bundles.ts";
import { type Agent, openAgent } from "../../src/workload/agent.ts";
import { openServerSource, type ServerSource } from "../../src/workload/server-source.ts";
import { writePem } from "../../src/x509/pem.ts";
import { assertEnded, vouchsafe } from "../cli/vouchsafe.ts";
import { openNode, type TestNode } from "../http/node.ts";
import { callerWith } from "../services/release-node.ts";
import { envelopeKey, signStatement, testResult } from "../services/signed-envelope.ts";
import { UNLESS_LONG } from "../support/long.ts";
import { buildExecutable, type Executable } from "./executable.ts";
import { type Line, startWorkload } from "./run-workload.ts";

interface House {
  readonly trustDomain: string;
  readonly node: TestNode;
  readonly endpoint: BundleEndpoint;
  readonly url: string;
  readonly socket: string;
}

/** What a program makes of the Workload API's answer for its TLS. */
interface Tls {
  readonly cert: string;
  readonly key: string;
  /** Of the one trust domain that it federates with. */
  readonly ca: string;
  readonly own: string;
}

describe("workloads of two trust domains", {
  skip: (process.platform !== "linux" && "only Linux attests") || UNLESS_LONG,
}, () => {
  const builder = envelopeKey();
  const closers: (() => Promise<unknown>)[] = [];
  let directory: string;
  let widget: Executable;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-domains-"));
    await chmod(directory, 0o755);
    await writeFile(join(directory, "builder.pem"), builder.pem);
    widget = await buildExecutable(directory);
  });
  after(async () => {
    for (const close of closers.reverse()) await close();
    await rm(directory, { recursive: true, force: true });
  });

  async function openHouse(trustDomain: string): Promise<House> {
    const node = await openNode({
      VOUCHSAFE_TRUST_DOMAIN: trustDomain,
      VOUCHSAFE_KEYS: join(directory, "builder.pem"),
      VOUCHSAFE_OUTBOUND_PRIVATE: "127.0.0.1",
    });
    closers.push(() => node.close());
    const endpoint = await openBundleEndpoint(node.v, { host: "127.0.0.1", port: 0 });
    closers.push(() => endpoint.close());
    const url = await node.app.listen({ port: 0, host: "127.0.0.1" });
    return { trustDomain, node, endpoint, url, socket: join(directory, `${trustDomain}.sock`) };
  }

  async function federate({ trustDomain, node }: House, other: House): Promise<void> {
    const text = `apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: release }
spec:
  artifacts: { names: [widget] }
  signers: [{ key: builder }]
---
apiVersion: vouchsafe.dev/v1
kind: FederatedTrustDomain
metadata: { name: other }
spec:
  trustDomain: ${other.trustDomain}
  bundleEndpointURL: https://127.0.0.1:${other.endpoint.port}/trust-bundle
  bundleEndpointProfile: { type: https_spiffe, endpointSPIFFEID: "spiffe://${other.trustDomain}/vouchsafe/server" }
  trustDomainBundle: '${JSON.stringify(writeTrustBundle(other.node.v.authority.bundle()))}'
---
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: widget }
spec:
  selectors: ["unix:uid:${process.getuid?.()}"]
  spiffeId: /widget
  policies: [release]
  federatesWith: [${other.trustDomain}]
  requesters: { agents: ["spiffe://${trustDomain}/vouchsafe/agent/node"] }
`;
    const operator = callerWith(node, ["operator"]);
    const { policySet: previous } = await readPolicies(node.v, operator);
    await activatePolicies(node.v, operator, { documents: [{ name: "all.yaml", text }], previous });
    await pushAttestation(node.v, callerWith(node, ["uploader"]), {
      bytes: signStatement(testResult(widget.digest), builder.privateKey),
    });
  }

  async function serveAgent({ trustDomain, node, url, socket }: House): Promise<void> {
    const token = await node.token(["agent"], { name: "node" });
    const source: ServerSource = await openServerSource({
      server: url,
      dataDir: join(directory, `${trustDomain}-agent`),
      joinBy: async () => ({ case: "join token", token }),
      signal: AbortSignal.timeout(30_000),
      log: () => {},
    });
    closers.push(() => source.close());
    const agent: Agent = await openAgent({ socketPath: socket, source, log: () => {} });
    closers.push(() => agent.close());
  }

  /** What the workload is given, once it can believe the other trust domain. */
  async function obtain({ socket }: House, other: House): Promise<Tls> {
    const workload = startWorkload({ executable: widget.path, socket, method: "FetchX509SVID" });
    try {
      let line: Line = {};
      const roots = () => line.answer?.federated_bundles?.[`spiffe://${other.trustDomain}`];
      while (roots() === undefined) line = await workload.next();
      const [svid] = line.answer.svids;
      return {
        cert: pemOf(svid.x509_svid),
        key: writePem("PRIVATE KEY", Buffer.from(svid.x509_svid_key, "base64")),
        ca: pemOf(roots()),
        own: pemOf(svid.bundle),
      };
    } finally {
      await workload.stop();
    }
  }

  test("authenticate each other by the bundles that their agents give them", async () => {
    const [a, b] = [await openHouse("a.example"), await openHouse("b.example")];
    await federate(a, b);
    await federate(b, a);
    await Promise.all([serveAgent(a), serveAgent(b)]);
    const [server, client] = await Promise.all([obtain(a, b), obtain(b, a)]);

    const peers = await handshake(server, client);
    assert.deepEqual(peers, ["URI:spiffe://b.example/widget", "URI:spiffe://a.example/widget"]);
    // Who believes its own trust domain alone believes neither.
    await assert.rejects(handshake(server, { ...client, ca: client.own }));
    await assert.rejects(handshake({ ...server, ca: server.own }, client));

    // What they believed each other by was the policies' own, if nothing was due yet: another turn may have the fetch.
    const auditor = callerWith(a.node, ["auditor"]);
    while ((await readFederation(a.node.v, auditor)).federation[0]?.fetchedAt === null) {
      await refreshBundles(a.node.v);
      await sleep(50);
    }
    const env = { VOUCHSAFE_SERVER: a.url, VOUCHSAFE_TOKEN: await a.node.token(["auditor"]) };
    const listed = await vouchsafe(["federation", "ls"], { cwd: directory, env });
    assertEnded(listed, 0, "stdout", /^b\.example from https:\S+ \(https_spiffe\), fetched \d{4}-/);
  });
});

/** Whom each side saw, the server first. */
async function handshake(server: Tls, client: Tls): Promise<(string | undefined)[]> {
  const listening = createServer({ ...server, requestCert: true, rejectUnauthorized: true });
  listening.listen(0, "127.0.0.1");
  await once(listening, "listening");
  const { port } = listening.address() as AddressInfo;
  // An SVID names no host: who it is is compared by its SPIFFE ID.
  const socket = connect({ ...client, port, host: "127.0.0.1", checkServerIdentity: () => undefined });
  const refused = once(listening, "tlsClientError").then(([error]) => Promise.reject(error));
  try {
    const [[accepted]] = await Promise.race([
      Promise.all([once(listening, "secureConnection"), once(socket, "secureConnect")]),
      refused,
    ]);
    return [accepted as TLSSocket, socket].map((one) => one.getPeerCertificate().subjectaltname);
  } finally {
    socket.destroy();
    listening.close();
    refused.catch(() => {});
  }
}

/** One certificate, or the first of several. */
function pemOf(der: string): string {
  return writePem("CERTIFICATE", Buffer.from(der, "base64"));
}
