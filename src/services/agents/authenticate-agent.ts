import { findAgent, useProof } from "../../db/agents.ts";
import { VouchsafeError } from "../../errors.ts";
import { type ProvenRequest, verifyAgentProof } from "../../identity/agent-proof.ts";
import { sha256 } from "../../in-toto-attestation/digest.ts";
import { requireOwnProject } from "../access/named-project.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { revoked } from "../identities/revoked-agents.ts";

/** Proofs are remembered for this long after they expired: another node's clock may be behind. Milliseconds. */
const REMEMBERED = 10 * 60_000;

/**
 * Which agent makes this very request: the proof is of this method, path and body, by the key of a certificate
 * that is in the log, has not expired and was not revoked, and was never used before on any node.
 *
 * @param authorization the header's value
 * @param named the project that the request names
 * @throws VouchsafeError `agent-proof-invalid`; `agent-proof-replayed`; `forbidden` for an agent of another project;
 *   `project-suspended`
 */
export async function authenticateAgent(
  v: Vouchsafe,
  authorization: string,
  request: ProvenRequest,
  named?: string,
): Promise<Caller> {
  const now = v.clock();
  const proof = verifyAgentProof(authorization, request, v.authority.bundleOfAgents(), now);
  const known = await findAgent(v.database.kysely, proof.serial);
  const isKnown =
    known !== undefined &&
    known.spiffeId === proof.agent &&
    known.keyHash === sha256(proof.spki) &&
    now < known.expiresAt;
  if (!isKnown) throw new VouchsafeError("agent-proof-invalid", "No agent has joined with this certificate");
  if (known.revoked) throw revoked();
  await requireOwnProject(v, named, known.project);
  await v.suspended.refuseNow(known.project);
  if (!(await useProof(v.database.kysely, known.project, proof, now - REMEMBERED))) {
    throw new VouchsafeError("agent-proof-replayed", "Each proof is of one request: make another");
  }
  return {
    token: proof.agent,
    name: proof.name,
    project: known.project,
    roles: ["agent"],
    policies: [],
    mayChoosePolicy: false,
    agent: { spiffeId: proof.agent, serial: proof.serial },
  };
}
