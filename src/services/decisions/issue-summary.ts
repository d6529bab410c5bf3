import type { EventDraft } from "../../custody/events.ts";
import type { ActivePolicies } from "../../db/activations.ts";
import { chainsBehind } from "../../db/decision-inputs.ts";
import { type Decision, type DecisionInput, decideGrant } from "../../decisions/decide.ts";
import { type SummaryTerms, summaryStatement } from "../../decisions/verification-summary.ts";
import { answerOf } from "../../decisions/written-answer.ts";
import { VouchsafeError } from "../../errors.ts";
import { sha256 } from "../../in-toto-attestation/digest.ts";
import { signStatement } from "../../in-toto-attestation/dsse.ts";
import { canonicalJson } from "../../in-toto-attestation/json.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { fillResourceUri } from "../../policy/documents/resource-uri.ts";
import { appendFresh } from "../append.ts";
import { type Caller, policiesFor, type Role } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { createSizedCache, type SizedCache } from "../sized-cache.ts";
import type { SummaryKey } from "./summary-key.ts";
import {
  type DigestAnswer,
  type DigestAnswerText,
  type DigestQuestion,
  textOf,
  verifyDigestText,
} from "./verify-digest.ts";
import { standingOf } from "./workload-standing.ts";

/** An allowed, enforced decision as a signed statement, or the decision that there is none for. */
export type SummaryAnswer =
  | { readonly case: "summary"; readonly asOf: number; readonly envelope: string }
  | ({ readonly case: "denied" } & DigestAnswerText);

/** What a node signs summaries with, and those that it may give again. */
export interface Summaries {
  readonly key: SummaryKey;
  readonly kept: SizedCache<string, { readonly summary: SummaryAnswer; readonly until: number }>;
  readonly making: Map<string, Promise<SummaryAnswer>>;
}

/** Who acts on our word where it cannot ask: others have no use for it and could fill the log with it. */
const ROLES: readonly Role[] = ["issuer", "operator"];
/** For how long after it was decided a summary may be signed, in milliseconds: as for identities. */
const SIGN_WITHIN = 5_000;
const KEPT = { entries: 10_000, bytes: 64 * 1024 * 1024 };

export function createSummaries(key: SummaryKey): Summaries {
  return { key, kept: createSizedCache(KEPT), making: new Map() };
}

/**
 * Answers whether a digest is allowed now by a Verification Summary Attestation in a DSSE envelope, for those who will
 * act on it without asking again. It is a grant, so it is recorded in the log, as of a size at which it held, before
 * it is signed. As long as the same is decided, one may be given again until half of its life is over.
 *
 * @throws VouchsafeError `forbidden`; `invalid-request` where policies name different resources; `unavailable`; and
 *   what `verifyDigest` throws
 */
export async function issueSummary(
  v: Vouchsafe,
  caller: Caller,
  question: DigestQuestion,
): Promise<SummaryAnswer> {
  requireRole(caller);
  const told = await verifyDigestText(v, caller, question);
  const { asOf: _, ...answer }: DigestAnswer = JSON.parse(told.json);
  if (answer.decision === "deny") return { case: "denied", ...told };

  const { kept, making } = v.summaries;
  const { minSize = 0 } = question;
  // Whatever else changed: while the answer is the same to the letter, so is what its summary says.
  const likeness = `${caller.project} ${JSON.stringify(answer)}`;
  const before = kept.get(likeness);
  if (before !== undefined && v.clock() < before.until && before.summary.asOf >= minSize)
    return before.summary;

  const make = () => grantSummary(v, caller, answer.digest, policiesFor(caller, question.policy), likeness);
  const shared = making.get(likeness) ?? make().finally(() => making.delete(likeness));
  making.set(likeness, shared);
  const summary = await shared;
  // One that another question began may not know of what this one must.
  return summary.asOf >= minSize ? summary : make();
}

function requireRole({ roles }: Caller): void {
  if (ROLES.some((role) => roles.includes(role))) return;
  throw new VouchsafeError("forbidden", `Verification summaries are for ${ROLES.join(" and ")} tokens`, {
    extensions: { roles: ROLES },
  });
}

/**
 * Decides anew, records and signs. A crash after the record leaves an event without a summary, which harms nobody.
 */
async function grantSummary(
  v: Vouchsafe,
  caller: Caller,
  digest: Digest,
  policies: readonly string[],
  likeness: string,
): Promise<SummaryAnswer> {
  const { project } = caller;
  const { key, kept } = v.summaries;
  const { decision, asOf, granted } = await appendFresh(v, async () => {
    const standing = await standingOf(v, project, digest, policies);
    const { size: asOf } = standing;
    const now = v.clock();
    const decision = decideWithoutExceptions({ ...standing, policies }, now);
    const proposal = { project, asOf, restsOn: chainsBehind(digest, standing) };
    if (decision.decision === "deny") return { decision, asOf, proposal: { ...proposal, events: [] } };

    const terms: SummaryTerms = {
      verifierId: v.config.verifierId,
      resourceUri: await resourceUriOf(v, caller, standing.policies, decision),
      timeVerified: now,
      validUntil: Math.min(now + v.config.summaryLifetime, decision.validUntil ?? Number.POSITIVE_INFINITY),
      logSize: asOf,
    };
    const payload = new TextEncoder().encode(canonicalJson(summaryStatement(decision, terms)));
    const events = [eventOf(caller, policies, decision, terms, sha256(payload), key.keyId)];
    return { decision, asOf, granted: { terms, payload }, proposal: { ...proposal, events } };
  });
  if (granted === undefined) return { case: "denied", ...textOf(asOf, JSON.stringify(answerOf(decision))) };

  const { timeVerified, validUntil } = granted.terms;
  // A node that was stopped in between does not know what was quarantined meanwhile.
  if (v.clock() - timeVerified > SIGN_WITHIN) {
    throw new VouchsafeError("unavailable", "Recording the summary took too long to rely on it; ask again");
  }
  const envelope = signStatement(granted.payload, key);
  const summary = { case: "summary", asOf, envelope } as const;
  kept.set(
    likeness,
    { summary, until: (timeVerified + validUntil) / 2 },
    2 * (likeness.length + envelope.length),
  );
  return summary;
}

/**
 * An exception is this service's word to those who ask it, and can be taken back: a summary is carried to others, who
 * would read it as a verification that passed. So none rests on one.
 */
function decideWithoutExceptions(input: DecisionInput, now: number): Decision {
  const decision = decideGrant({ ...input, exceptions: [] }, now);
  if (decision.decision === "allow") return decision;
  const { exceptions } = decideGrant(input, now);
  if (exceptions.length === 0) return decision;
  const ids = exceptions.map(({ id }) => id).join(", ");
  const message = `No verification summary rests on an exception (${ids})`;
  return { ...decision, reasons: [{ code: "exception", message }, ...decision.reasons] };
}

/** What the policies that vouch for it say that the artifact is verified as; the digest itself where none says anything. */
async function resourceUriOf(
  { documents }: Vouchsafe,
  { project }: Caller,
  active: ActivePolicies | undefined,
  { digest, grounds }: Decision,
): Promise<string> {
  const policySet = active && (await documents.policies(project, active.document));
  const policies = grounds.map(({ policy }) => policy);
  const templates = policies.flatMap((name) => policySet?.policies.get(name)?.spec.resourceUri ?? []);
  const [uri = digest, ...others] = new Set(templates.map((template) => fillResourceUri(template, digest)));
  if (others.length === 0) return uri;
  throw new VouchsafeError(
    "invalid-request",
    `The policies ${policies.join(", ")} verify the artifact as ${[uri, ...others].join(" and ")}: ask by one of them`,
  );
}

function eventOf(
  { name, token }: Caller,
  policies: readonly string[],
  { digest, decision }: Decision,
  { verifierId, validUntil, logSize }: SummaryTerms,
  statement: Digest,
  keyId: string,
): EventDraft {
  return {
    type: "decision.recorded",
    about: [digest],
    body: {
      artifact: digest,
      policies,
      decision,
      asOf: logSize,
      grantedTo: name,
      issuer: verifierId,
      expiresAt: new Date(validUntil).toISOString(),
      current: decision,
      caller: token,
      summary: { statement, keyId },
    },
  };
}
