import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import type { ProjectId } from "../../src/custody/events.ts";
import { readEvents } from "../../src/db/log.ts";
import { type AgentCredential, makeAgentProof } from "../../src/identity/agent-proof.ts";
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import type { Digest } from "../../src/in-toto-attestation/types.ts";
import { createToken, type TokenRequest } from "../../src/services/access/tokens.ts";
import { activatePolicies, readPolicies } from "../../src/services/activation/activate-policies.ts";
import { activateTrust, readTrust } from "../../src/services/activation/activate-trust.ts";
import type { Role } from "../../src/services/caller.ts";
import { newKey, SELECTORS } from "../services/identities/identity-house.ts";
import type { ReleaseHouse } from "../services/release-node.ts";
import { slsaProvenance } from "../sigstore/provenance.ts";
import { anImage } from "../support/images.ts";
import { succeeds } from "./calls.ts";
import type { TestNode } from "./node.ts";
import { RELEASE_POLICY } from "./release.ts";

/** A project, and credentials of it. */
export interface Tenant {
  readonly name: string;
  readonly id: ProjectId;
  /** A new token's text. */
  token(roles: readonly Role[], request?: Partial<TokenRequest>): Promise<string>;
}

/** What there is in a project that another could ask by. */
export type Known = Awaited<ReturnType<typeof fill>>;

export const ISSUER = "broker";

const POLICY = RELEASE_POLICY.replace(
  "spec:\n",
  `spec:
  approvals: { required: 1, from: [{ approver: ${ISSUER} }], expiresAfter: 30d }
`,
);

const workloads = (path: string) => `apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: widget }
spec:
  selectors: ["unix:uid:1000"]
  spiffeId: ${path}/widget/{digest}
  policies: [release]
  requesters:
    agents: ["spiffe://vouchsafe.local${path}/vouchsafe/agent/*"]
    issuers: [${ISSUER}]
`;

/** A project of its own, or `default`, with policies and trust of the same content and names as any other's. */
export async function openTenant({ sigstore }: ReleaseHouse, node: TestNode, name: string): Promise<Tenant> {
  const { app, v } = node;
  const as = await node.token(["operator"]);
  const isDefault = name === "default";
  const id = isDefault
    ? v.project
    : (await succeeds(app, 201, "POST /projects", { as, json: { name } })).project;
  const tenant: Tenant = {
    name,
    id,
    token: async (roles, request = {}) =>
      (await createToken(v, { project: id }, { name: `test ${roles.join(" ")}`, roles, ...request })).token,
  };
  const operator = { project: id, token: "a test" };
  const { trust } = await readTrust(v, operator);
  const document = { sigstore: [{ name: `local-${name}`, trustedRoot: sigstore.trustedRoot }], keys: [] };
  await activateTrust(v, operator, { document, previous: trust });
  const { policySet } = await readPolicies(v, operator);
  const documents = [
    { name: "release.yaml", text: RELEASE_POLICY },
    { name: "approved.yaml", text: POLICY.replace("name: release", "name: approved") },
    { name: "workloads.yaml", text: workloads(isDefault ? "" : `/project/${name}`) },
  ];
  await activatePolicies(v, operator, { documents, previous: policySet });
  return tenant;
}

/** Has an agent of this name join. */
export async function joinAgent({ app }: TestNode, tenant: Tenant, name: string): Promise<AgentCredential> {
  const { key, csr } = newKey();
  const as = await tenant.token(["agent"], { name });
  const { spiffeId, chain } = await succeeds(app, 201, "POST /agents", { as, json: { csr } });
  return {
    spiffeId: parseSpiffeId(spiffeId),
    chain: chain.map((der: string) => Buffer.from(der, "base64")),
    key,
  };
}

/** The Authorization header of an agent's request. */
export function proofOf(agent: AgentCredential, method: string, path: string, body: Uint8Array): string {
  return makeAgentProof(agent, { method, path, body }, randomBytes(16), Date.now());
}

export const x509Request = (digest: string) => ({
  csr: newKey().csr,
  selectors: SELECTORS,
  components: { executable: [digest] },
});

/** An artifact's provenance, signed anew. */
export async function provenance({ sigstore }: ReleaseHouse) {
  const bytes = randomBytes(32);
  const bundle = await sigstore.signStatement(slsaProvenance([{ name: "widget", bytes }]));
  return { digest: sha256(bytes), bundle, bytes };
}

/** Makes one of everything in a project, and says what each is known by. */
export async function fill(house: ReleaseHouse, node: TestNode, tenant: Tenant) {
  const { app, v } = node;
  const as = await tenant.token(["operator", "approver", "uploader", "auditor", "issuer"], {
    name: ISSUER,
    policies: ["release"],
  });
  const post = (route: string, json: unknown, params: Record<string, string> = {}, status = 201) =>
    succeeds(app, status, route, { as, json, params });
  const push = async () => {
    const made = await provenance(house);
    const pushed = await succeeds(app, 201, "POST /attestations", { as, bytes: made.bundle, type: BUNDLE });
    return { ...made, attestation: pushed.attestation.id as Digest, index: pushed.receipt.index as number };
  };
  const { digest, attestation, index, bundle } = await push();
  const other = await push();
  const about = { digest };
  const identity = await post("POST /svid/x509", x509Request(digest));
  const svid = identity.svids[0];
  const jwt = await post("POST /svid/jwt", {
    audiences: ["https://api.example.org"],
    selectors: SELECTORS,
    components: { executable: [digest] },
  });
  const decision = { artifact: digest, policies: ["release"], decision: "allow", asOf: index + 1 };
  await post("POST /decisions", {
    ...decision,
    grantedTo: `team of ${tenant.name}`,
    issuer: "https://vault",
  });
  const approval = await post("POST /artifacts/:digest/approvals", { policy: "approved" }, about);
  const expiresAt = new Date(v.clock() + 3_600_000).toISOString();
  const exempt = { policy: "approved", reason: `urgent for ${tenant.name}`, owner: "ops", expiresAt };
  const exception = await post("POST /artifacts/:digest/exceptions", exempt, { digest: other.digest });
  const hold = await post("POST /holds", { artifact: digest, reason: `a case of ${tenant.name}` });
  const manifest = anImage();
  await succeeds(app, 201, "POST /manifests", { as, bytes: manifest.index, type: INDEX });
  const agent = await joinAgent(node, tenant, `node-of-${tenant.name}`);
  const token = await createToken(v, { project: tenant.id }, { name: "theirs", roles: ["auditor"] });
  const revocation = await post("POST /revocations", {
    target: { attestation: other.attestation },
    reason: `leaked by ${tenant.name}`,
  });
  const target = { artifact: other.digest };
  const quarantine = await post("POST /quarantines", { target, reason: `found by ${tenant.name}` });
  const { policySet } = await succeeds(app, 200, "GET /policies", { as });
  const { trust } = await succeeds(app, 200, "GET /trust", { as });
  const [activated] = (await readEvents(v.database.kysely, tenant.id, [index])).slice(0, 1);
  assert.ok(activated && svid && jwt.svids[0]);
  return {
    digest: digest as string,
    attestation: attestation as string,
    otherDigest: other.digest as string,
    index: String(index),
    serial: svid.serial as string,
    spiffeId: svid.spiffeId as string,
    approval: approval.id as string,
    exception: exception.id as string,
    hold: hold.id as string,
    revocation: revocation.id as string,
    quarantine: quarantine.id as string,
    manifest: manifest.digest as string,
    part: sha256(manifest.manifest) as string,
    agent: agent.spiffeId as string,
    token: token.id,
    policySet: policySet as string,
    trust: trust as string,
    bundle: bundle as Uint8Array,
  };
}

/** The same by which nothing is known. */
export function strangers(known: Known): Known {
  const digest = () => sha256(randomBytes(8)) as string;
  return {
    digest: digest(),
    attestation: digest(),
    otherDigest: digest(),
    index: String(Number(known.index) + 1_000_000),
    serial: randomBytes(known.serial.length / 2).toString("hex"),
    spiffeId: known.spiffeId.replace(/[^/]*$/, randomBytes(32).toString("hex")),
    approval: randomUUID(),
    exception: randomUUID(),
    hold: randomUUID(),
    revocation: randomUUID(),
    quarantine: randomUUID(),
    manifest: digest(),
    part: digest(),
    agent: known.agent.replace(/[^/]*$/, randomUUID()),
    token: randomBytes(8).toString("hex"),
    policySet: digest(),
    trust: digest(),
    bundle: known.bundle,
  };
}

export const BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
