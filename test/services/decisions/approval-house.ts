import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { type Digest, sha256 } from "../../../src/in-toto-attestation/index.ts";
import type { Caller, Role } from "../../../src/services/caller.ts";
import type { Vouchsafe } from "../../../src/services/context.ts";
import { grantApproval } from "../../../src/services/decisions/approvals.ts";
import { grantException } from "../../../src/services/decisions/exceptions.ts";
import { verifyDigest } from "../../../src/services/decisions/verify-digest.ts";
import { pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import { RELEASE_POLICY } from "../../http/release.ts";
import { actionsClaims, actionsIdentity } from "../../sigstore/github-actions.ts";
import { slsaProvenance } from "../../sigstore/provenance.ts";
import { packOf } from "../../support/packs.ts";
import type { TestPostgres } from "../../support/postgres.ts";
import { WORKLOADS } from "../identities/identity-house.ts";
import { callerWith, openReleaseHouse } from "../release-node.ts";

export const HOUR = 3_600_000;
export const POLICY = "approved";
/** The claims of the workflow in which people approve: its identity is an approver's. */
export const REVIEW = actionsClaims({ workflow: ".github/workflows/review.yml" });
const APPROVED_POLICY = RELEASE_POLICY.replace("name: release", `name: ${POLICY}`).replace(
  "spec:",
  `spec:
  approvals:
    required: 2
    from:
      - approver: alice
      - approver: bob
      - approver: octocat
      - {issuer: "https://token.actions.githubusercontent.com", identity: "${actionsIdentity(REVIEW)}"}
    expiresAfter: 2h`,
);

/** A node whose policy `approved` asks for two approvals, and whose workloads need it. */
export async function openApprovalHouse(postgres: TestPostgres) {
  const house = await openReleaseHouse(postgres, {
    "approved.yaml": APPROVED_POLICY,
    "workloads.yaml": WORKLOADS.replaceAll("policies: [release]", `policies: [${POLICY}]`),
  });
  const node = await house.open();

  const caller = (name: string, ...roles: Role[]): Caller => ({
    ...callerWith(node, roles, [POLICY]),
    name,
    token: `tok_${name}`,
  });
  const push = async (bytes: Uint8Array) =>
    (await pushAttestation(node.v, caller("ci", "uploader"), { bytes })).attestation.id;

  /** Provenance as the release workflow signs it, which names who triggered it. */
  async function build(bytes: Uint8Array, actor = "octocat"): Promise<Digest> {
    const statement = slsaProvenance([{ name: "widget.tgz", bytes }]);
    const predicate = structuredClone(statement.predicate) as {
      buildDefinition: { internalParameters: { github: Record<string, string> } };
      runDetails: { metadata: { invocationId: string } };
    };
    predicate.buildDefinition.internalParameters.github.actor = actor;
    predicate.runDetails.metadata.invocationId += `/${randomBytes(4).toString("hex")}`;
    return push(await house.sigstore.signStatement({ ...statement, predicate }));
  }
  /** A newer one, which counts in the place of the first: trusted times are whole seconds. */
  async function rebuild(bytes: Uint8Array): Promise<void> {
    await sleep(1_000);
    await build(bytes);
  }
  async function release() {
    const bytes = randomBytes(32);
    const provenance = await build(bytes);
    return { bytes, digest: sha256(bytes), provenance };
  }
  const ask = async (digest: Digest) => {
    const { decision, reasons, slsaLevel, validUntil } = await verifyDigest(
      node.v,
      caller("broker", "issuer"),
      { digest },
    );
    return { decision, reasons, codes: reasons.map(({ code }) => code), slsaLevel, validUntil };
  };
  const approve = (name: string, artifact: string, over = {}, v: Vouchsafe = node.v) =>
    grantApproval(v, caller(name, "approver"), { artifact, policy: POLICY, ...over });
  const except = (artifact: string, over = {}) =>
    grantException(node.v, caller("ops", "operator"), {
      artifact,
      policy: POLICY,
      reason: "the outage",
      owner: "dana",
      expiresAt: new Date(node.v.clock() + HOUR).toISOString(),
      ...over,
    });
  async function assertHolds(digest: Digest) {
    const pack = await packOf(node.v, caller("audit", "auditor"), digest);
    const report = verifyPack(pack, node.v.log.verifierKey);
    assert.deepEqual(
      report.checks.filter(({ status }) => status === "fails"),
      [],
    );
    return report.checks;
  }

  return { node, house, caller, push, build, rebuild, release, ask, approve, except, assertHolds };
}

export type ApprovalHouse = Awaited<ReturnType<typeof openApprovalHouse>>;
