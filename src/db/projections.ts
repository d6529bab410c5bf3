import type { EventType, ProjectId } from "../custody/events.ts";
import type { LogEntry, Verdict } from "../custody/log-store.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { Check, EvidenceOnApproval } from "../policy/types.ts";

/** One row as JSON: columns by name, for `json_populate_recordset`. */
type Row = Readonly<Record<string, unknown>>;

/**
 * The rows that follow from a batch of events, by table. A row of current state is named once, by its key, with
 * what the batch leaves of it: one SQL statement must not change a row twice.
 */
export interface Projection {
  readonly attestations: Row[];
  readonly attestation_subjects: Row[];
  readonly containment: Row[];
  readonly rejections: Row[];
  readonly verdicts: Map<string, Row>;
  readonly quarantines: Map<string, Row>;
  readonly liftings: Row[];
  readonly approvals: Map<string, Row>;
  readonly approval_withdrawals: Row[];
  readonly exceptions: Map<string, Row>;
  readonly exception_withdrawals: Row[];
  readonly active_policies: Map<string, Row>;
  readonly active_trust: Map<string, TrustRow>;
  readonly identities: Row[];
  readonly agents: Row[];
  readonly agent_revocations: Row[];
}

interface TrustRow {
  readonly project_id: string;
  readonly trust: string;
  /** Snapshots under which a pass holds from this batch on. */
  readonly holding: readonly string[];
  /** Whether those that held before the batch still do. */
  readonly extends_previous: boolean;
  readonly index: number;
}

/** Derives the state's rows from events: the one place where bodies become rows. */
export function projectEvents(entries: readonly LogEntry[]): Projection {
  const rows: Projection = {
    attestations: [],
    attestation_subjects: [],
    containment: [],
    rejections: [],
    verdicts: new Map(),
    quarantines: new Map(),
    liftings: [],
    approvals: new Map(),
    approval_withdrawals: [],
    exceptions: new Map(),
    exception_withdrawals: [],
    active_policies: new Map(),
    active_trust: new Map(),
    identities: [],
    agents: [],
    agent_revocations: [],
  };
  for (const entry of entries) PROJECTORS[entry.draft.type](entry, entry.draft.body, rows);
  return rows;
}

type Body = LogEntry["draft"]["body"];

const PROJECTORS: Readonly<Record<EventType, (entry: LogEntry, body: Body, rows: Projection) => void>> = {
  "log.created": () => {},
  "authority.activated": () => {},
  "decision.recorded": () => {},
  "identity.denied": () => {},
  "identity.issued": projectIdentity,
  "identity.renewed": projectIdentity,
  "agent.joined": ({ project, index, time }, { agent, serial, keyHash, token, expiresAt }, rows) => {
    rows.agents.push({
      project_id: project,
      spiffe_id: agent,
      serial,
      key_hash: keyHash,
      token,
      joined_at: time,
      expires_at: millisecondsOf(String(expiresAt)),
      index,
    });
  },
  "agent.revoked": ({ project, index }, { agent }, rows) => {
    rows.agent_revocations.push({ project_id: project, spiffe_id: agent, index });
  },
  "policy.activated": ({ project, index }, { policySet, document }, rows) => {
    rows.active_policies.set(project, { project_id: project, policy_set: policySet, document, index });
  },
  "trust.activated": projectTrust,
  "evidence.accepted": projectEvidence,
  "evidence.rejected": ({ project, index, time }, { digest, code, trust, caller }, rows) => {
    rows.rejections.push({ project_id: project, digest, code, trust_hash: trust, index, caller, time });
  },
  "containment.recorded": ({ project, index }, { manifest, contained }, rows) => {
    for (const digest of contained as string[])
      rows.containment.push({ project_id: project, contained: digest, container: manifest, index });
  },
  "verdict.passed": (entry, body, rows) => projectVerdict("passed", entry, body, rows),
  "verdict.failed": (entry, body, rows) => projectVerdict("failed", entry, body, rows),
  "quarantine.opened": ({ project, index }, { id, artifact, reason }, rows) => {
    const row = { project_id: project, id, artifact, reason, opened_index: index, lifted_index: null };
    rows.quarantines.set(`${project} ${id}`, row);
  },
  "quarantine.lifted": ({ project, index }, { id }, rows) => {
    end(rows.quarantines, rows.liftings, { project_id: project, id }, { lifted_index: index });
  },
  "approval.granted": ({ project, index, time }, body, rows) => {
    const { id, artifact, policy, policyHash, attestations, approver, reason } = body;
    rows.approvals.set(`${project} ${id}`, {
      project_id: project,
      id,
      artifact,
      policy,
      policy_hash: policyHash,
      attestations,
      approver,
      reason,
      granted_at: time,
      granted_index: index,
      withdrawn_index: null,
    });
  },
  "approval.withdrawn": ({ project, index }, { id }, rows) => {
    end(rows.approvals, rows.approval_withdrawals, { project_id: project, id }, { withdrawn_index: index });
  },
  "exception.granted": ({ project, index }, body, rows) => {
    const { id, artifact, policy, owner, reason, expiresAt } = body;
    rows.exceptions.set(`${project} ${id}`, {
      project_id: project,
      id,
      artifact,
      policy,
      owner,
      reason,
      expires_at: millisecondsOf(String(expiresAt)),
      granted_index: index,
      withdrawn_index: null,
    });
  },
  "exception.withdrawn": ({ project, index }, { id }, rows) => {
    end(rows.exceptions, rows.exception_withdrawals, { project_id: project, id }, { withdrawn_index: index });
  },
};

/** Ends what began in this batch, or in one before it. */
function end(
  begun: Map<string, Row>,
  ends: Row[],
  row: { project_id: ProjectId; id: unknown },
  how: Row,
): void {
  const key = `${row.project_id} ${row.id}`;
  const before = begun.get(key);
  if (before !== undefined) begun.set(key, { ...before, ...how });
  else ends.push({ ...row, ...how });
}

function projectTrust({ project, index }: LogEntry, body: Body, rows: Projection): void {
  const { trust, extendsPrevious } = body as { trust: string; extendsPrevious: boolean };
  const earlier = rows.active_trust.get(project);
  rows.active_trust.set(project, {
    project_id: project,
    trust,
    holding: extendsPrevious === true ? [trust, ...(earlier?.holding ?? [])] : [trust],
    extends_previous: extendsPrevious === true && (earlier?.extends_previous ?? true),
    index,
  });
}

function projectEvidence({ project, index }: LogEntry, body: Body, rows: Projection): void {
  const { attestation, mediaType, predicateType, signer, subjects, source, builder, verifiedAt } =
    body as unknown as {
      attestation: string;
      mediaType: string;
      predicateType: string | null;
      signer:
        | { case: "certificate"; issuer: string; identity: string; instance: string }
        | { case: "key"; name: string; keyId: string };
      subjects: readonly { name?: string; digests: readonly string[] }[];
      source: { repository?: string; ref?: string; commit?: string };
      builder: string | null;
      verifiedAt: string;
    };
  rows.attestations.push({
    project_id: project,
    id: attestation,
    index,
    media_type: mediaType,
    predicate_type: predicateType,
    signer,
    signer_issuer: signer.case === "certificate" ? signer.issuer : null,
    signer_identity: signer.case === "certificate" ? signer.identity : signer.name,
    source_repository: source.repository,
    source_ref: source.ref,
    source_commit: source.commit,
    builder,
    verified_at: millisecondsOf(verifiedAt),
  });
  const named = new Set<string>();
  for (const { name, digests } of subjects) {
    for (const digest of digests) {
      if (named.has(digest)) continue;
      named.add(digest);
      rows.attestation_subjects.push({ project_id: project, digest, attestation, name });
    }
  }
}

function projectVerdict(
  outcome: Verdict["outcome"],
  { project, index }: LogEntry,
  body: Body,
  rows: Projection,
): void {
  const verdict = body as unknown as {
    policy: string;
    policyHash: string;
    trust: string;
    artifacts: readonly { digest: Digest; evidenceSet: string }[];
    attestations: readonly Digest[];
    slsaLevel: number;
    validUntil: string | null;
    checks: readonly Check[];
    restsOn?: readonly Digest[];
    approvals?: EvidenceOnApproval;
  };
  const { policy, policyHash, trust, attestations, slsaLevel, validUntil, checks, approvals } = verdict;
  for (const { digest, evidenceSet } of verdict.artifacts) {
    const current: Verdict = {
      artifact: digest,
      policy,
      policyHash,
      trustHash: trust,
      evidenceSet,
      outcome,
      slsaLevel,
      attestations,
      checks,
      ...(validUntil !== null && { validUntil: millisecondsOf(validUntil) }),
      restsOn: verdict.restsOn ?? [],
      ...(approvals !== undefined && { approvals }),
      index,
    };
    projectCurrentVerdict(rows, { ...current, project, asOf: index });
  }
}

/** Also for confirmations, which are rows without an event of their own. */
export function projectCurrentVerdict(
  rows: Projection,
  verdict: Verdict & { readonly project: ProjectId; readonly asOf: number },
): void {
  rows.verdicts.set(`${verdict.project} ${verdict.artifact} ${verdict.policy}`, {
    project_id: verdict.project,
    artifact: verdict.artifact,
    policy: verdict.policy,
    policy_hash: verdict.policyHash,
    trust_hash: verdict.trustHash,
    evidence_set: verdict.evidenceSet,
    outcome: verdict.outcome,
    slsa_level: verdict.slsaLevel,
    attestations: verdict.attestations,
    checks: verdict.checks,
    valid_until: verdict.validUntil,
    index: verdict.index,
    rests_on: verdict.restsOn,
    as_of: verdict.asOf,
    approvals: verdict.approvals,
  });
}

function projectIdentity({ project, index }: LogEntry, body: Body, rows: Projection): void {
  const { kind, serial, spiffeId, workload, digests, policies, requester, keyHash, issuedAt, expiresAt } =
    body;
  rows.identities.push({
    project_id: project,
    kind,
    serial,
    spiffe_id: spiffeId,
    workload,
    digests,
    policies,
    requester,
    key_hash: keyHash,
    issued_at: millisecondsOf(String(issuedAt)),
    expires_at: millisecondsOf(String(expiresAt)),
    index,
  });
}

/** What ends at a time that cannot be read must not become something that never ends. */
function millisecondsOf(rfc3339: string): number {
  const time = Date.parse(rfc3339);
  if (Number.isNaN(time)) throw new RangeError(`${rfc3339} is not a time`);
  return time;
}
