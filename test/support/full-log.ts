import { randomBytes, randomUUID } from "node:crypto";
import type { EventDraft } from "../../src/custody/events.ts";
import { readHead } from "../../src/db/log.ts";
import { type Digest, type JsonObject, sha256 } from "../../src/in-toto-attestation/index.ts";
import { activateTrust, readTrust } from "../../src/services/activation/activate-trust.ts";
import { reevaluate } from "../../src/services/decisions/reevaluate.ts";
import { pushAttestation } from "../../src/services/evidence/push-attestation.ts";
import { recordContainment } from "../../src/services/evidence/record-containment.ts";
import { openQuarantine } from "../../src/services/incidents/quarantine.ts";
import type { TestNode } from "../http/node.ts";
import { signRelease, tampered } from "../http/release.ts";
import { callerWith, type ReleaseHouse } from "../services/release-node.ts";
import { growLog } from "./grow-log.ts";
import { anImage } from "./images.ts";

/** Artifacts with provenance that passed: `confirmed` before trust was added, `judged` after. */
export interface FullLog {
  readonly confirmed: Digest;
  readonly judged: Digest;
}

/** Lets a node's log grow until each table has a row, and a tile is full. */
export async function fillEveryTable({ sigstore }: ReleaseHouse, node: TestNode): Promise<FullLog> {
  const { v } = node;
  const caller = callerWith(node, ["operator"]);
  const push = async () => {
    const { digest, bundle } = await signRelease(sigstore);
    await pushAttestation(v, caller, { bytes: bundle });
    return digest as Digest;
  };
  const confirmed = await push();
  const { document, trust } = await readTrust(v, caller);
  if (document === null) throw new Error("the node has no trust");
  const other = { name: "second", trustedRoot: document.sigstore[0]?.trustedRoot as JsonObject };
  const wider = { ...document, sigstore: [...document.sigstore, other] };
  await activateTrust(v, caller, { document: wider, previous: trust });
  await reevaluate(v, v.project, [confirmed]);
  const judged = await push();

  const { bundle } = await signRelease(sigstore);
  await pushAttestation(v, caller, { bytes: tampered(bundle) }).catch(() => {});
  await recordContainment(v, caller, anImage().index);
  await openQuarantine(v, caller, { artifact: sha256(randomBytes(8)), reason: "to be looked at" });
  const expired = await signRelease(sigstore);
  const { attestation } = await pushAttestation(v, caller, { bytes: expired.bundle });
  const { size } = await readHead(v.database.kysely);
  const events = otherEvents(attestation.id);
  await v.writer.append({ project: v.project, asOf: size, restsOn: [], events });
  await v.database.kysely
    .insertInto("agent_requests")
    .values({ project_id: v.project, jti: randomUUID(), expires_at: Date.now() + 3_600_000 })
    .execute();
  await v.database.kysely
    .insertInto("used_tokens")
    .values({ id: "sha256:00", expires_at: Date.now() + 3_600_000 })
    .execute();
  const nothing = { cosigned_at: null, trouble: null, troubled_at: null, contradiction: null };
  await v.database.kysely
    .insertInto("witnesses")
    .values({ key: "a witness", size: 1, ...nothing })
    .execute();
  await v.database.kysely
    .insertInto("cosigned_checkpoints")
    .values({ size: 1, checkpoint: "a note", published: true })
    .execute();
  await growLog(v, 300);
  return { confirmed, judged };
}

/** One event for each table whose rows take longer to come about otherwise. */
function otherEvents(expired: Digest): EventDraft[] {
  const artifact = sha256(randomBytes(8));
  const about = (type: EventDraft["type"], body: JsonObject, chains: EventDraft["about"] = [artifact]) => ({
    type,
    about: chains,
    body: {
      id: randomUUID(),
      artifact,
      policy: "release",
      reason: "a test",
      caller: "tok_operator",
      ...body,
    },
  });
  const time = new Date(Date.now() + 60_000).toISOString();
  const agent = "spiffe://vouchsafe.local/vouchsafe/agent/node-1";
  const identity = {
    kind: "x509",
    serial: "40".repeat(16),
    spiffeId: "spiffe://vouchsafe.local/widget",
    workload: "widget",
    digests: [artifact],
    policies: ["release"],
    requester: agent,
    keyHash: artifact,
    issuedAt: time,
    expiresAt: time,
  };
  const joined = { agent, serial: "41".repeat(16), keyHash: artifact, token: "tok_join", expiresAt: time };
  const decision = {
    policies: ["release"],
    asOf: 1,
    grantedTo: "a job",
    issuer: "https://tokens.example",
    expiresAt: time,
    current: "allow",
  };
  const hold = randomUUID();
  const verdict = {
    policyHash: artifact,
    policySet: artifact,
    trust: artifact,
    artifacts: [{ digest: artifact, evidenceSet: artifact }],
    attestations: [],
    slsaLevel: 0,
    validUntil: null,
    checks: [],
    restsOn: [sha256(randomBytes(8))],
  };
  return [
    about("approval.granted", { policyHash: artifact, attestations: [artifact], approver: "alice" }),
    about("exception.granted", { owner: "dana", expiresAt: time }),
    about("identity.issued", identity),
    about("identity.revoked", {
      identities: [identity],
      digests: [artifact],
      reasons: ["quarantined"],
      cause: null,
    }),
    about("decision.recorded", { ...decision, decision: "allow", wouldDeny: ["stricter"] }),
    about("decision.recorded", { ...decision, decision: "deny" }),
    about("agent.joined", joined, []),
    about("agent.revoked", { agent }, []),
    about("evidence.revoked", { target: { case: "digest", digest: artifact } }),
    about("hold.placed", { id: hold }),
    about("hold.released", { id: hold }),
    about("retention.assigned", { class: "long" }),
    about("evidence.expired", { attestation: expired, class: "short" }),
    about("verdict.failed", verdict),
    about("project.suspended", {}, ["*"]),
    about("project.resumed", {}, ["*"]),
  ];
}
