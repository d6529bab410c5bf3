import { PROJECT_CHAIN, type ProjectId } from "../../custody/events.ts";
import { readHead } from "../../db/log.ts";
import { hasCode, VouchsafeError } from "../../errors.ts";
import { agentId } from "../../identity/agent-id.ts";
import type { SpiffeId } from "../../identity/spiffe-id.ts";
import { sha256 } from "../../in-toto-attestation/digest.ts";
import type { JsonObject } from "../../in-toto-attestation/types.ts";
import { appendFresh, onlyEvent } from "../append.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { BACKDATED, chainOf, newSerial, readCsr, x509Bundle } from "../identities/issue-svid.ts";

/** How long an agent's certificate lives, in milliseconds. It is renewed at half of it. */
const LIFE = 60 * 60 * 1000;

/**
 * Gives a node's agent its first certificate for a join token (a token with the role agent, whose name is the
 * agent's), which is used up by the event that records it.
 *
 * @throws VouchsafeError `invalid-csr`; `unauthenticated` when the token was used before; `invalid-spiffe-id` for a name that no agent can have
 */
export async function joinAgent(v: Vouchsafe, caller: Caller, { csr }: { readonly csr: string }) {
  if (caller.agent !== undefined) {
    throw new VouchsafeError("forbidden", "This agent has joined: renew its certificate at /agents/renew");
  }
  const agent = agentId(v.authority.trustDomain, caller.name, await v.projects.nameOf(caller.project));
  try {
    return await certifyAgent(v, caller.project, csr, async () => ({
      agent,
      body: { token: caller.token, renews: null },
    }));
  } catch (cause) {
    if (!hasCode(cause, "conflict")) throw cause;
    throw new VouchsafeError("unauthenticated", "This join token was used; ask an operator for another", {
      cause,
    });
  }
}

/**
 * Records the certificate, then signs it: none is without its event.
 *
 * @param admit who is certified, and on what account; asked again when anything project-wide moved before the event
 *   was recorded: a policy, or the agent's revocation. Throws `VouchsafeError` for who is not
 * @throws VouchsafeError `project-suspended`; what `admit` throws
 */
export async function certifyAgent(
  v: Vouchsafe,
  project: ProjectId,
  csr: string,
  admit: () => Promise<{ readonly agent: SpiffeId; readonly body: JsonObject }>,
) {
  const { spki } = readCsr(csr);
  const serial = newSerial();
  const authority = v.authority.current();
  const issuedAt = v.clock();
  const expiresAt = Math.min(issuedAt + LIFE, authority.until);
  const certificate = { serial, keyHash: sha256(spki), expiresAt: new Date(expiresAt).toISOString() };
  const { agent, committed } = await appendFresh(v, async () => {
    const { size: asOf } = await readHead(v.database.kysely);
    const { agent, body } = await admit();
    // Whoever was let in a moment before may have been so by a node that lags.
    await v.suspended.refuseNow(project);
    return {
      agent,
      proposal: {
        project,
        asOf,
        restsOn: [PROJECT_CHAIN],
        events: [{ type: "agent.joined", about: [], body: { agent, ...certificate, ...body } }],
      },
    };
  });
  const { receipt } = onlyEvent(committed);
  const svid = await authority.x509({
    spki,
    spiffeId: agent,
    serial: Buffer.from(serial, "hex"),
    notBefore: issuedAt - BACKDATED,
    notAfter: expiresAt,
  });
  return {
    spiffeId: agent,
    serial,
    chain: chainOf(authority, svid),
    expiresAt: certificate.expiresAt,
    bundle: x509Bundle(v),
    receipt,
  };
}
