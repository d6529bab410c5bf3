import { randomUUID } from "node:crypto";
import { PROJECT_CHAIN } from "../../custody/events.ts";
import type { Receipt } from "../../custody/receipt.ts";
import { type ExceptionRecord, findException, standingExceptions } from "../../db/exceptions.ts";
import { readHead } from "../../db/log.ts";
import { VouchsafeError } from "../../errors.ts";
import { groundsAllow, parseDigest } from "../../in-toto-attestation/digest.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { MAX_EXCEPTION } from "../../policy/exceptions.ts";
import { activePolicySet } from "../active-policy-set.ts";
import { appendFresh, onlyEvent } from "../append.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { standingIn, takeBack } from "../take-back.ts";
import { timeOf } from "../time.ts";

export interface ExceptionRequest {
  readonly artifact: string;
  readonly policy: string;
  readonly reason: string;
  /** Who answers for it. */
  readonly owner: string;
  /** RFC 3339, at most 72 hours ahead. */
  readonly expiresAt: string;
}

/** An exception as the API gives it. */
export interface ExceptionSummary {
  readonly id: string;
  readonly artifact: Digest;
  readonly policy: string;
  readonly reason: string;
  readonly owner: string;
  readonly expiresAt: string;
  readonly index: number;
}

/**
 * Lets an artifact through a policy that denies it, until a time ("break glass"). It says so in every answer, and takes
 * away neither a quarantine nor what other policies ask.
 *
 * @throws VouchsafeError `invalid-request` for a time that has passed or is more than 72 hours ahead;
 *   `unsupported-digest-algorithm`; `not-found` where no such policy is active
 */
export async function grantException(
  v: Vouchsafe,
  { project, token }: Caller,
  request: ExceptionRequest,
): Promise<ExceptionSummary & { readonly receipt: Receipt }> {
  const artifact = parseDigest(request.artifact);
  if (!groundsAllow(artifact)) {
    throw new VouchsafeError(
      "unsupported-digest-algorithm",
      "Only sha256, sha384 and sha512 are let through",
    );
  }
  const { policy, reason, owner } = request;
  const expiresAt = timeOf("expiresAt", request.expiresAt);
  const { committed, exception } = await appendFresh(v, async () => {
    const { size } = await readHead(v.database.kysely);
    const policySet = await activePolicySet(v, project);
    if (!policySet?.policies.has(policy)) {
      throw new VouchsafeError("not-found", `No active policy is named ${policy}`);
    }
    const left = expiresAt - v.clock();
    if (left <= 0 || left > MAX_EXCEPTION) {
      throw new VouchsafeError(
        "invalid-request",
        "An exception ends 72 hours from now at the latest, and not before now: expiresAt says when",
      );
    }
    const exception = {
      id: randomUUID(),
      artifact,
      policy,
      reason,
      owner,
      expiresAt: new Date(expiresAt).toISOString(),
    };
    const event = {
      type: "exception.granted",
      about: [artifact],
      body: { ...exception, caller: token },
    } as const;
    return {
      exception,
      proposal: { project, asOf: size, restsOn: [PROJECT_CHAIN, artifact], events: [event] },
    };
  });
  const { index, receipt } = onlyEvent(committed);
  return { ...exception, index, receipt };
}

/** @throws VouchsafeError `not-found` where it does not stand */
export async function withdrawException(
  v: Vouchsafe,
  caller: Caller,
  request: { readonly artifact: string; readonly id: string; readonly reason: string },
): Promise<{ readonly id: string; readonly receipt: Receipt }> {
  const artifact = parseDigest(request.artifact);
  const { id, reason } = request;
  return takeBack(v, caller, { type: "exception.withdrawn", id, reason }, async () => {
    const exception = await findException(v.database.kysely, caller.project, id);
    if (exception?.artifact !== artifact || exception.withdrawnIndex !== undefined) {
      throw new VouchsafeError("not-found", `No exception ${id} for ${artifact} stands`);
    }
    return standingIn(exception);
  });
}

/** Those that last now. */
export async function listExceptions(v: Vouchsafe, { project }: Caller) {
  const exceptions = await standingExceptions(v.database.kysely, project, v.clock());
  return { exceptions: exceptions.map(exceptionSummary) };
}

export function exceptionSummary({
  id,
  artifact,
  policy,
  reason,
  owner,
  expiresAt,
  grantedIndex,
}: ExceptionRecord): ExceptionSummary {
  return {
    id,
    artifact,
    policy,
    reason,
    owner,
    expiresAt: new Date(expiresAt).toISOString(),
    index: grantedIndex,
  };
}
