import assert from "node:assert/strict";
import type { Digest } from "../../../src/in-toto-attestation/types.ts";
import { activatePolicies, readPolicies } from "../../../src/services/activation/activate-policies.ts";
import { revokeAgent } from "../../../src/services/agents/revoke-agent.ts";
import type { Caller } from "../../../src/services/caller.ts";
import { verifyDigest } from "../../../src/services/decisions/verify-digest.ts";
import { pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import { recordContainment } from "../../../src/services/evidence/record-containment.ts";
import { liftQuarantine, openQuarantine } from "../../../src/services/incidents/quarantine.ts";
import type { TestNode } from "../../http/node.ts";
import { RELEASE_POLICY } from "../../http/release.ts";
import { slsaProvenance } from "../../sigstore/provenance.ts";
import type { anImage } from "../../support/images.ts";
import {
  agentCaller,
  fetchX509,
  type IdentityHouse,
  joinThroughDoor,
  release,
  untilRevoked,
} from "../identities/identity-house.ts";

interface Told {
  readonly house: IdentityHouse;
  readonly node: TestNode;
  readonly operator: Caller;
  readonly image: ReturnType<typeof anImage>;
  /** Called each time that something has happened. */
  readonly look: () => Promise<unknown>;
}

/** A layer that its image lets through, what happens to both, and other things, which do not belong to its custody. */
export async function tellItsStory({ house, node, operator, image, look }: Told): Promise<void> {
  const { v } = node;
  const fetch = () => fetchX509(node, agentCaller(node, "node-1"), image.layer);
  const quarantine = async (artifact: Digest) =>
    (await openQuarantine(v, operator, { artifact, reason: "found malware" })).id;
  const activate = async (description: string) => {
    const { documents, policySet: previous } = await readPolicies(v, operator);
    const kept = documents.filter(({ name }) => name !== "other.yaml");
    const text = RELEASE_POLICY.replace("name: release", `name: other\n  description: ${description}`);
    await activatePolicies(v, operator, { documents: [...kept, { name: "other.yaml", text }], previous });
  };

  for (const name of ["node-1", "node-2"]) await joinThroughDoor(node, name);
  const subject = { name: "widget", sha256: image.digest.slice("sha256:".length) };
  const provenance = await house.sigstore.signStatement(slsaProvenance([subject]));
  await pushAttestation(v, operator, { bytes: provenance });
  await recordContainment(v, operator, image.index);
  await recordContainment(v, operator, image.manifest);
  await look();
  await verifyDigest(v, operator, { digest: image.layer });
  await look();
  await fetch();
  await look();
  await activate("nothing was recorded under it");
  await look();
  await activate("the next");
  await look();
  const id = await quarantine(image.digest);
  await untilRevoked(node, image.layer);
  await look();
  await assert.rejects(fetch());
  await look();
  await liftQuarantine(v, operator, { id, reason: "it was none" });
  await look();
  const stranger = await release(house, node);
  await fetchX509(node, agentCaller(node, "node-2"), stranger.digest);
  for (const name of ["node-2", "node-1"]) {
    const agent = String(agentCaller(node, name).agent?.spiffeId);
    await revokeAgent(v, operator, { agent, reason: "disk lost" });
    await look();
  }
  await quarantine(image.layer);
  await look();
}
