import assert from "node:assert/strict";
import {
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { searchIdentities } from "../../../src/db/identities.ts";
import { type AgentCredential, makeAgentProof } from "../../../src/identity/agent-proof.ts";
import { parseSpiffeId } from "../../../src/identity/spiffe-id.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import type { Digest } from "../../../src/in-toto-attestation/types.ts";
import type { Caller } from "../../../src/services/caller.ts";
import { pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import { issueX509Svids } from "../../../src/services/identities/issue-svid.ts";
import type { TestNode } from "../../http/node.ts";
import { signingRequest } from "../../identity/signing-requests.ts";
import { slsaProvenance } from "../../sigstore/provenance.ts";
import type { TestPostgres } from "../../support/postgres.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../release-node.ts";

export const WORKLOADS = `
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: widget }
spec:
  selectors: ["unix:uid:1000", "unix:path:/opt/widget/*"]
  spiffeId: /widget/{digest}
  policies: [release]
  audiences: ["https://*.example.org"]
  requesters:
    agents: ["spiffe://vouchsafe.local/vouchsafe/agent/node-*"]
    issuers: [broker]
---
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: elsewhere }
spec:
  selectors: ["unix:uid:1000"]
  spiffeId: /elsewhere
  policies: [release]
  requesters:
    agents: ["spiffe://vouchsafe.local/vouchsafe/agent/other", "spiffe://vouchsafe.local/vouchsafe/agent/twin"]
---
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: beside }
spec:
  selectors: ["unix:uid:1000"]
  spiffeId: /beside
  policies: [release]
  requesters:
    agents: ["spiffe://vouchsafe.local/vouchsafe/agent/twin"]
---
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: composite }
spec:
  selectors: ["unix:uid:1000", "unix:gid:*"]
  spiffeId: /composite
  components:
    image: { policies: [release] }
    prompts: { policies: [release], files: ["/etc/agent/*.md"] }
  requesters:
    agents: ["spiffe://vouchsafe.local/vouchsafe/agent/composer"]
`;

export const SELECTORS = ["unix:uid:1000", "unix:gid:1000", "unix:path:/opt/widget/widget"];

/** A release house whose nodes grant identities. */
export type IdentityHouse = ReleaseHouse;

export function openIdentityHouse(postgres?: TestPostgres): Promise<IdentityHouse> {
  return openReleaseHouse(postgres, { "workloads.yaml": WORKLOADS });
}

/** An artifact that was released and pushed to a node, so that it is allowed. */
export async function release(house: ReleaseHouse, node: TestNode) {
  const artifact = { name: "widget", bytes: randomBytes(32) };
  const bytes = await house.sigstore.signStatement(slsaProvenance([artifact]));
  const { receipt } = await pushAttestation(node.v, callerWith(node, ["uploader"]), { bytes });
  return { digest: sha256(artifact.bytes), receipt };
}

/** The agent of this name as services see it, without its joining. */
export function agentCaller(node: TestNode, name = "node-1"): Caller {
  const spiffeId = parseSpiffeId(`spiffe://vouchsafe.local/vouchsafe/agent/${name}`);
  return { ...callerWith(node, ["agent"], []), token: spiffeId, name, agent: { spiffeId, serial: "40" } };
}

export interface TestKey {
  readonly key: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** Base64 DER. */
  readonly csr: string;
}

export function newKey(): TestKey {
  const { privateKey: key, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ format: "der", type: "spki" });
  return { key, spki, csr: signingRequest(key, spki).toString("base64") };
}

/** Asks for X.509-SVIDs of a new key for a process that runs this digest. */
export async function fetchX509(node: TestNode, caller: Caller, digest: string, renews?: readonly string[]) {
  const { key, csr } = newKey();
  const answer = await issueX509Svids(node.v, caller, {
    csr,
    selectors: SELECTORS,
    components: { executable: [digest] },
    ...(renews !== undefined && { renews }),
  });
  const certificates = answer.svids.map(
    ({ chain }) => new X509Certificate(Buffer.from(chain[0] ?? "", "base64")),
  );
  return { ...answer, key, publicKey: createPublicKey(key), certificates };
}

/** Waits until some node has taken back all that lives of what was granted for a digest. */
export async function untilRevoked({ v }: TestNode, digest: Digest): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const live = await searchIdentities(v.database.kysely, v.project, {
      digest,
      liveAt: v.clock(),
      limit: 1,
    });
    if (live.length === 0) return;
    assert.ok(performance.now() < deadline, "identities are left");
    await sleep(20);
  }
}

/** Joins as a node's agent does, through the door. */
export async function joinThroughDoor(node: TestNode, name: string): Promise<AgentCredential> {
  const { key, csr } = newKey();
  const joined = await node.app.inject({
    method: "POST",
    url: "/agents",
    headers: { authorization: `Bearer ${await node.token(["agent"], { name })}` },
    payload: { csr },
  });
  const { spiffeId, chain } = joined.json<{ spiffeId: string; chain: string[] }>();
  return { spiffeId: parseSpiffeId(spiffeId), chain: chain.map((der) => Buffer.from(der, "base64")), key };
}

export interface AgentCall {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly json?: unknown;
}

/** The request with a proof of it. */
export function proven(agent: AgentCredential, call: AgentCall, now = Date.now()) {
  const payload = call.json === undefined ? undefined : Buffer.from(JSON.stringify(call.json));
  const body = payload ?? new Uint8Array();
  const authorization = makeAgentProof(
    agent,
    { method: call.method, path: call.path, body },
    randomBytes(16),
    now,
  );
  return {
    method: call.method,
    url: call.path,
    headers: { authorization, ...(payload && { "content-type": "application/json" }) },
    ...(payload && { payload }),
  };
}
