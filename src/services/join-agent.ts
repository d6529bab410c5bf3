import { VouchsafeError } from "../errors.ts";
import { agentId } from "../identity/agent-id.ts";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import { sha256 } from "../in-toto-attestation/digest.ts";
import { onlyEvent } from "./append.ts";
import type { Caller } from "./caller.ts";
import type { Vouchsafe } from "./context.ts";
import { BACKDATED, chainOf, newSerial, readCsr, x509Bundle } from "./issue-svid.ts";

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
  const agent = agentId(v.authority.trustDomain, caller.name);
  try {
    return await certifyAgent(v, caller, agent, csr, { token: caller.token, renews: null });
  } catch (cause) {
    if (!(cause instanceof VouchsafeError && cause.code === "conflict")) throw cause;
    throw new VouchsafeError("unauthenticated", "This join token was used; ask an operator for another", {
      cause,
    });
  }
}

/** Records the certificate, then signs it: none is without its event. */
export async function certifyAgent(
  v: Vouchsafe,
  { project }: Caller,
  agent: SpiffeId,
  csr: string,
  by: { readonly token: string | null; readonly renews: string | null },
) {
  const { spki } = readCsr(csr);
  const serial = newSerial();
  const issuedAt = v.clock();
  const expiresAt = Math.min(issuedAt + LIFE, v.authority.caCertificate.notAfter);
  const body = {
    agent,
    serial,
    keyHash: sha256(spki),
    expiresAt: new Date(expiresAt).toISOString(),
    ...by,
  };
  const appended = await v.writer.append({
    project,
    asOf: 0,
    restsOn: [],
    events: [{ type: "agent.joined", about: [], body }],
  });
  if (appended.outcome === "stale") throw new TypeError("an event that rests on nothing cannot be stale");
  const { receipt } = onlyEvent(appended.events);
  const svid = v.minters.x509({
    spki,
    spiffeId: agent,
    serial: Buffer.from(serial, "hex"),
    notBefore: issuedAt - BACKDATED,
    notAfter: expiresAt,
  });
  return {
    spiffeId: agent,
    serial,
    chain: chainOf(v, svid),
    expiresAt: body.expiresAt,
    bundle: x509Bundle(v),
    receipt,
  };
}
