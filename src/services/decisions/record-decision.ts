import { chainsBehind } from "../../db/decision-inputs.ts";
import { decide, wouldDenyOf } from "../../decisions/decide.ts";
import { VouchsafeError } from "../../errors.ts";
import { parseDigest } from "../../in-toto-attestation/digest.ts";
import { appendFresh, onlyEvent } from "../append.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { timeOf } from "../time.ts";
import { standingOf } from "./workload-standing.ts";

/** What an outside issuer did on our word. */
export interface IssuerDecision {
  readonly artifact: string;
  readonly policies: readonly string[];
  /** What the issuer was told, at log size `asOf`. */
  readonly decision: "allow" | "deny";
  readonly asOf: number;
  /** Who or what got it, e.g. a SPIFFE ID. */
  readonly grantedTo: string;
  readonly issuer: string;
  /** RFC 3339. */
  readonly expiresAt?: string;
}

/**
 * Records what an outside issuer granted or refused on our word, so that it stands in the artifact's chain. It
 * happened, so it is recorded even when the decision no longer holds: `current` says what the decision is at this
 * event's place in the log, and an issuer that reads `deny` there must take back what it granted.
 *
 * @throws VouchsafeError `invalid-request` for an `asOf` that the log has not reached, or a malformed time
 */
export async function recordDecision(v: Vouchsafe, { project, token }: Caller, request: IssuerDecision) {
  const artifact = parseDigest(request.artifact);
  const { policies, decision, asOf, grantedTo, issuer } = request;
  const expiresAt =
    request.expiresAt === undefined ? null : new Date(timeOf("expiresAt", request.expiresAt)).toISOString();

  const { committed, current } = await appendFresh(v, async () => {
    const standing = await standingOf(v, project, artifact, policies);
    if (asOf > standing.size)
      throw new VouchsafeError("invalid-request", `The log has ${standing.size} entries, not ${asOf}`);
    const current = decide({ ...standing, policies }, v.clock());
    const wouldDeny = wouldDenyOf(current);
    const body = {
      artifact,
      policies,
      decision,
      asOf,
      grantedTo,
      issuer,
      expiresAt,
      current: current.decision,
      ...(!current.enforced && { enforced: false }),
      ...(wouldDeny.length > 0 && { wouldDeny }),
      ...(current.exceptions.length > 0 && { exceptions: current.exceptions.map(({ id }) => id) }),
      caller: token,
    };
    return {
      current,
      proposal: {
        project,
        asOf: standing.size,
        restsOn: chainsBehind(artifact, standing),
        events: [{ type: "decision.recorded", about: [artifact], body }],
      },
    };
  });
  const { decision: now, enforced, reasons } = current;
  return { current: now, enforced, reasons, receipt: onlyEvent(committed).receipt };
}
