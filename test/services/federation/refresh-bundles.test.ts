import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { type BundleEndpoint, openBundleEndpoint } from "../../../src/http/bundle-endpoint.ts";
import { writeTrustBundle } from "../../../src/identity/trust-bundle.ts";
import { activatePolicies, readPolicies } from "../../../src/services/activation/activate-policies.ts";
import {
  type FederatedWith,
  readFederation,
  readWorkloadFederation,
} from "../../../src/services/federation/read-federation.ts";
import { refreshBundles } from "../../../src/services/federation/refresh-bundles.ts";
import { openNode, type TestNode } from "../../http/node.ts";
import { testAuthority } from "../../identity/trust-domain.ts";
import { lendPostgres } from "../../support/postgres.ts";
import { agentCaller } from "../identities/identity-house.ts";
import { callerWith } from "../release-node.ts";
import { type BundleServer, documentOf, serveBundles, text, webCertificate } from "./bundle-server.ts";

const NOW = Date.now();
const web = testAuthority("web.example", NOW);

describe("bundles of other trust domains", () => {
  let postgres: Awaited<ReturnType<typeof lendPostgres>>;
  let directory: string;
  let nodes: [TestNode, TestNode];
  let partner: TestNode;
  let endpoint: BundleEndpoint;
  let server: BundleServer;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-federation-"));
    const certificate = webCertificate();
    await writeFile(join(directory, "root.pem"), certificate.root);
    postgres = await lendPostgres();
    const settings = {
      ...postgres.settings,
      VOUCHSAFE_DATA_DIR: directory,
      VOUCHSAFE_OUTBOUND_PRIVATE: "localhost,127.0.0.1",
      VOUCHSAFE_FEDERATION_CA: join(directory, "root.pem"),
    };
    nodes = [await openNode(settings), await openNode(settings)];
    partner = await openNode({ VOUCHSAFE_TRUST_DOMAIN: "partner.example" });
    endpoint = await openBundleEndpoint(partner.v, { host: "127.0.0.1", port: 0 });
    server = await serveBundles(certificate, text(documentOf(web, 7)));
  });
  after(async () => {
    await Promise.all([endpoint.close(), server.close()]);
    for (const node of [...nodes, partner]) await node.close();
    await postgres.giveBack();
    await rm(directory, { recursive: true });
  });

  const document = (trustDomain: string, url: string, profile: string, first?: string) => `
apiVersion: vouchsafe.dev/v1
kind: FederatedTrustDomain
metadata: { name: ${trustDomain} }
spec:
  trustDomain: ${trustDomain}
  bundleEndpointURL: ${url}
  bundleEndpointProfile: ${profile}
${first === undefined ? "" : `  trustDomainBundle: '${first}'`}
---`;
  const webDocument = (url = server.url) => document("web.example", url, "{ type: https_web }");
  const spiffeDocument = () =>
    document(
      "partner.example",
      `https://localhost:${endpoint.port}/trust-bundle`,
      "{ type: https_spiffe, endpointSPIFFEID: spiffe://partner.example/vouchsafe/server }",
      JSON.stringify(writeTrustBundle(partner.v.authority.bundle())),
    );

  async function activate(...documents: string[]) {
    const { v } = nodes[0];
    const caller = callerWith(nodes[0], ["operator"]);
    const { policySet: previous } = await readPolicies(v, caller);
    await activatePolicies(v, caller, {
      documents: [{ name: "federation.yaml", text: documents.join("") }],
      previous,
    });
  }

  async function dueNow() {
    await sql`update federated_bundles set due_at = '-infinity'`.execute(nodes[0].v.database.kysely);
  }

  /** Asks until what a node says of the trust domain is so. */
  async function until(
    node: TestNode,
    trustDomain: string,
    isSo: (state: FederatedWith | undefined) => boolean,
  ): Promise<FederatedWith | undefined> {
    for (let left = 100; ; left -= 1) {
      await refreshBundles(node.v);
      const { federation } = await readFederation(node.v, callerWith(node, ["operator"]));
      const state = federation.find((one) => one.trustDomain === trustDomain);
      if (isSo(state)) return state;
      assert.ok(left > 0, `${trustDomain} is ${JSON.stringify(state)}`);
      await sleep(50);
    }
  }
  const sequenceOf = (state: FederatedWith | undefined) => state?.bundle?.spiffe_sequence;

  test("are fetched by both profiles, each on one node and known to all", async () => {
    await activate(webDocument(), spiffeDocument());
    await Promise.all(nodes.map(({ v }) => refreshBundles(v)));
    for (const node of nodes) {
      const fetched = await until(node, "web.example", (state) => state?.fetchedAt != null);
      assert.equal(sequenceOf(fetched), 7);
      const theirs = await until(node, "partner.example", (state) => state?.fetchedAt != null);
      assert.equal(theirs?.problem, null);
    }
    assert.equal(server.requests(), 1);
  });

  test("never go back to a lower sequence, and outlive an endpoint that is away", async () => {
    const asked = nodes[1];
    const troubles: [string, Parameters<BundleServer["answer"]>[0]][] = [
      ["its endpoint gave an older bundle: 6 after 7", text(documentOf(web, 6))],
      ["its endpoint gave a bundle without the sequence that it had before", text(documentOf(web))],
      ["its endpoint answered with status 500", text("", 500)],
    ];
    for (const [problem, answer] of troubles) {
      server.answer(answer);
      await dueNow();
      const state = await until(asked, "web.example", (state) => state?.problem === problem);
      assert.equal(sequenceOf(state), 7);
    }
    server.answer(text(documentOf(web, 8)));
    await dueNow();
    const state = await until(asked, "web.example", (state) => sequenceOf(state) === 8);
    assert.equal(state?.problem, null);
  });

  test("of an endpoint that the policies change are forgotten, and so are those that they no longer name", async () => {
    server.answer(text(documentOf(web, 1)));
    await activate(webDocument(`${server.url}?moved`));
    assert.equal(sequenceOf(await until(nodes[0], "web.example", (state) => state?.fetchedAt != null)), 1);
    const kept = await nodes[0].v.database.kysely
      .selectFrom("federated_bundles")
      .select("trust_domain")
      .execute();
    assert.deepEqual(kept, [{ trust_domain: "web.example" }]);
  });

  test("are told to agents whose workloads may believe them, and no others", async () => {
    const workload = `
apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: release }
spec:
  artifacts: { names: ["**"] }
  signers: [{ key: builder }]
---
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: app }
spec:
  selectors: ["unix:uid:1000"]
  spiffeId: /app
  policies: [release]
  federatesWith: [web.example]
  requesters: { agents: ["spiffe://vouchsafe.local/vouchsafe/agent/node-1"] }
---`;
    await activate(webDocument(), spiffeDocument(), workload);
    const [node] = nodes;
    const told = async (name: string) =>
      (await readFederation(node.v, agentCaller(node, name))).federation.map((one) => one.trustDomain);
    assert.deepEqual(await told("node-1"), ["web.example"]);
    assert.deepEqual(await told("node-2"), []);
    const believed = async (name: string, selector: string) =>
      (await readWorkloadFederation(node.v, agentCaller(node, name), { selectors: [selector] }))
        .federatesWith;
    assert.deepEqual(await believed("node-1", "unix:uid:1000"), ["web.example"]);
    assert.deepEqual(await believed("node-1", "unix:uid:1001"), []);
    assert.deepEqual(await believed("node-2", "unix:uid:1000"), []);
  });

  test("cannot be of this trust domain itself", async () => {
    await assert.rejects(
      activate(webDocument(), document("vouchsafe.local", server.url, "{ type: https_web }")),
      { code: "invalid-policy" },
    );
  });
});
