import {
  type AttestationSummary,
  artifactsOf,
  summarize,
  summaryBody,
} from "../../custody/attestation-summary.ts";
import type { EventDraft } from "../../custody/events.ts";
import type { Receipt } from "../../custody/receipt.ts";
import type { Proposal } from "../../custody/writer.ts";
import { activeTrust } from "../../db/activations.ts";
import { findAttestation } from "../../db/evidence.ts";
import { findExpiration } from "../../db/retention.ts";
import { hasCode, isRefusal, VouchsafeError } from "../../errors.ts";
import { sha256 } from "../../in-toto-attestation/digest.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import type { Check } from "../../policy/types.ts";
import type { TrustSnapshot } from "../../trust/snapshot.ts";
import { withOurErrors } from "../../verify/format-errors.ts";
import type { VerifiedAttestation } from "../../verify/verified-attestation.ts";
import { appendFresh } from "../append.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { type Evaluated, evaluateArtifacts } from "../decisions/evaluate-artifacts.ts";
import { attestationByIndex } from "../decisions/find-artifacts.ts";
import { receiptFor } from "../log/receipts.ts";
import { traced } from "../telemetry/tracing.ts";
import { joinLogEntries } from "./join-log-entries.ts";
import { expired } from "./read-attestation.ts";
import { recordRejection } from "./record-rejection.ts";

/** A verdict that an upload changed. */
export interface VerdictSummary {
  readonly policy: string;
  readonly policyHash: string;
  readonly artifacts: readonly Digest[];
  readonly outcome: "passed" | "failed";
  readonly slsaLevel: number;
  readonly checks: readonly Check[];
}

export interface Pushed {
  /** False when the same bytes were accepted before: the answer is then about that upload. */
  readonly created: boolean;
  readonly attestation: AttestationSummary & { readonly index: number };
  readonly receipt: Receipt;
  readonly verdicts: readonly VerdictSummary[];
}

/**
 * Takes one piece of evidence: verifies it under the active trust snapshot, evaluates what it is about under the
 * active policies, and answers when evidence, event and verdicts are committed together.
 *
 * @throws VouchsafeError with the code of the first check that failed; the refusal is recorded, nothing else is
 */
export function pushAttestation(
  v: Vouchsafe,
  caller: Caller,
  upload: { readonly bytes: Uint8Array },
): Promise<Pushed> {
  return v.metrics.timed("push", () => traced(v, "push", () => push(v, caller, upload)));
}

async function push(v: Vouchsafe, caller: Caller, upload: { readonly bytes: Uint8Array }): Promise<Pushed> {
  const bytes = await joinLogEntries(v, upload.bytes);
  const id = sha256(bytes);
  const known = await findPushed(v, caller, id);
  if (known) return known;

  const verifiedAt = v.clock();
  const { committed, proposal, summary, already } = await appendFresh(v, async () => {
    const trust = await currentTrust(v, caller);
    const { attestation, summary } = await verifyOrRecord(v, caller, bytes, trust, verifiedAt);
    const artifacts = artifactsOf(attestation);
    const evaluated = await evaluateOrRecord(v, caller, { bytes, trust, attestation, artifacts });
    const { events, confirmations, basis } = evaluated;
    if (evaluated.trust !== trust.hash) return undefined;
    // Looked for after the basis was read: the same upload committed in between makes this proposal stale.
    const already = await findPushed(v, caller, id);
    if (already) return { proposal: { ...basis, events: [] }, summary, already };

    const accepted: EventDraft = {
      type: "evidence.accepted",
      about: artifacts,
      body: {
        ...summaryBody(attestation),
        size: bytes.length,
        trust: trust.hash,
        verifiedAt: new Date(verifiedAt).toISOString(),
        caller: caller.token,
      },
    };
    const evidence = { id, mediaType: attestation.mediaType, bytes };
    const proposal: Proposal = { ...basis, events: [accepted, ...events], confirmations, evidence };
    return { proposal, summary, already };
  });
  if (already) return already;
  const [first] = committed;
  if (first === undefined) throw new TypeError("the writer committed no event");
  return {
    created: true,
    attestation: { ...summary, index: first.index },
    receipt: first.receipt,
    verdicts: proposal.events.slice(1).map(verdictSummary),
  };
}

/** An upload that was revoked before it came may be an attack under way: its refusal is recorded. */
async function evaluateOrRecord(
  v: Vouchsafe,
  caller: Caller,
  {
    bytes,
    trust,
    attestation,
    artifacts,
  }: {
    readonly bytes: Uint8Array;
    readonly trust: TrustSnapshot;
    readonly attestation: VerifiedAttestation;
    readonly artifacts: readonly Digest[];
  },
): Promise<Evaluated> {
  try {
    return await traced(v, "judge", () =>
      evaluateArtifacts(v, caller.project, artifacts, { added: attestation }),
    );
  } catch (error) {
    if (hasCode(error, "evidence-revoked")) {
      await recordRejection(v, caller, bytes, error.code, trust.hash);
    }
    throw error;
  }
}

async function verifyOrRecord(
  v: Vouchsafe,
  caller: Caller,
  bytes: Uint8Array,
  trust: TrustSnapshot,
  at: number,
): Promise<{ readonly attestation: VerifiedAttestation; readonly summary: AttestationSummary }> {
  try {
    const attestation = await traced(v, "verify", () => v.verifier.verify(caller.project, bytes, trust, at));
    const summary = withOurErrors(() => summarize(attestation));
    if (artifactsOf(attestation).length === 0) {
      throw new VouchsafeError(
        "unsupported-digest-algorithm",
        "No subject is named by a digest that is known here",
      );
    }
    return { attestation, summary };
  } catch (error) {
    if (isRefusal(error)) await recordRejection(v, caller, bytes, error.code, trust.hash);
    throw error;
  }
}

/** The active trust snapshot. Throws `VouchsafeError` (`unavailable`) where none is. */
export async function currentTrust(v: Vouchsafe, { project }: Caller): Promise<TrustSnapshot> {
  const active = await activeTrust(v.database.kysely, project);
  if (!active)
    throw new VouchsafeError(
      "unavailable",
      "No trust is active: an operator must run `vouchsafe trust activate`",
    );
  return v.documents.trust(project, active.trust);
}

/** The answer to an upload of bytes that were accepted before. Throws `evidence-expired`: what was deleted is not taken again. */
async function findPushed(v: Vouchsafe, { project }: Caller, id: Digest): Promise<Pushed | undefined> {
  const record = await findAttestation(v.database.kysely, project, id);
  if (!record) return undefined;
  const expiredBy = await findExpiration(v.database.kysely, project, id);
  if (expiredBy !== undefined) throw expired(id, expiredBy);
  const attestation = await attestationByIndex(v, project, record.index);
  return { created: false, attestation, receipt: await receiptFor(v, record.index), verdicts: [] };
}

function verdictSummary({ type, about, body }: EventDraft): VerdictSummary {
  return {
    policy: body.policy as string,
    policyHash: body.policyHash as string,
    artifacts: about as Digest[],
    outcome: type === "verdict.passed" ? "passed" : "failed",
    slsaLevel: body.slsaLevel as number,
    checks: body.checks as unknown as Check[],
  };
}
