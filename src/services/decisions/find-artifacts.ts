import type { AttestationSummary } from "../../custody/attestation-summary.ts";
import type { LogEvent, ProjectId } from "../../custody/events.ts";
import { readDecisionInputs } from "../../db/decision-inputs.ts";
import { searchAttestations } from "../../db/evidence.ts";
import { readChain, readEvents } from "../../db/log.ts";
import { isCurrent } from "../../decisions/passing.ts";
import { VouchsafeError } from "../../errors.ts";
import { parseDigest } from "../../in-toto-attestation/digest.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { nothingRecorded } from "../nothing-recorded.ts";
import { pageStart } from "../page-start.ts";
import { approvalSummary } from "./approvals.ts";
import { exceptionSummary } from "./exceptions.ts";
import { inForceOf } from "./in-force.ts";

export type LoggedAttestation = AttestationSummary & { readonly index: number };

export interface ArtifactSearch {
  readonly repository?: string;
  readonly commit?: string;
  /** A certificate's identity, or a key's name. */
  readonly signer?: string;
  /** Attestations to look at, 1 to 200. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string;
}

export interface FoundArtifact {
  readonly digest: Digest;
  readonly name?: string;
  readonly attestations: readonly LoggedAttestation[];
}

/** Finds artifacts by what their attestations say of source and signer, newest attestation first. */
export async function findArtifacts(v: Vouchsafe, { project }: Caller, search: ArtifactSearch) {
  const { after, ...conditions } = search;
  const before = after === undefined ? undefined : pageStart(after);
  const found = await searchAttestations(v.database.kysely, project, {
    ...conditions,
    ...(before !== undefined && { before }),
  });
  const attestations = await attestationsByIndex(
    v,
    project,
    found.map(({ index }) => index),
  );
  const last = found.at(-1);
  return {
    artifacts: groupByDigest(attestations),
    next: last !== undefined && found.length === search.limit ? String(last.index) : null,
  };
}

/**
 * Everything that is known of one artifact: names, attestations, verdicts, open quarantines, approvals and exceptions
 * that stand, and what manifests say: what it contains and what contains it.
 *
 * @throws VouchsafeError `not-found` when the project's log has no event about it
 */
export async function readArtifact(v: Vouchsafe, { project }: Caller, text: string) {
  const digest = parseDigest(text);
  const { kysely } = v.database;
  const [[first], chain, inputs] = await Promise.all([
    readChain(kysely, project, digest, { limit: 1 }),
    // Not its grants: a fleet's image has a hundred thousand of them for each day.
    readChain(kysely, project, digest, { types: ["evidence.accepted", "containment.recorded"] }),
    readDecisionInputs(kysely, project, digest),
  ]);
  const { verdicts, quarantines, approvals, exceptions } = inputs;
  if (first === undefined) throw nothingRecorded(digest);
  const inForce = await inForceOf(v, project, inputs);
  const attestations = chain.filter(({ type }) => type === "evidence.accepted").map(loggedAttestation);
  const named = groupByDigest(attestations).filter((artifact) => artifact.digest === digest);
  return {
    digest,
    names: [...new Set(named.flatMap(({ name }) => name ?? []))],
    attestations,
    verdicts: verdicts.map((verdict) => ({
      policy: verdict.policy,
      policyHash: verdict.policyHash,
      outcome: verdict.outcome,
      slsaLevel: verdict.slsaLevel,
      validUntil: verdict.validUntil === undefined ? null : new Date(verdict.validUntil).toISOString(),
      current: isCurrent(verdict, inForce),
      checks: verdict.checks,
    })),
    quarantines: quarantines.flatMap(({ id, rule, reason, openedIndex, ...met }) =>
      "artifact" in met && met.artifact === digest
        ? [{ id, target: rule ?? { artifact: digest }, reason, index: openedIndex }]
        : [],
    ),
    approvals: approvals.map(approvalSummary),
    exceptions: exceptions.filter(({ expiresAt }) => v.clock() < expiresAt).map(exceptionSummary),
    ...containmentIn(chain, digest),
  };
}

function containmentIn(chain: readonly LogEvent[], digest: Digest) {
  const manifests = chain.filter(({ type }) => type === "containment.recorded").map(({ body }) => body);
  return {
    contains: manifests.flatMap(({ manifest, contained }) =>
      manifest === digest ? (contained as Digest[]) : [],
    ),
    containedIn: manifests.flatMap(({ manifest }) => (manifest === digest ? [] : [manifest as Digest])),
  };
}

/** The summary that an `evidence.accepted` event recorded. */
export async function attestationByIndex(
  v: Vouchsafe,
  project: ProjectId,
  index: number,
): Promise<LoggedAttestation> {
  const [attestation] = await attestationsByIndex(v, project, [index]);
  if (!attestation) throw new VouchsafeError("log-inconsistent", `The log has lost its entry ${index}`);
  return attestation;
}

async function attestationsByIndex(
  v: Vouchsafe,
  project: ProjectId,
  indexes: readonly number[],
): Promise<LoggedAttestation[]> {
  const events = await readEvents(v.database.kysely, project, indexes);
  const byIndex = new Map(events.map((event) => [event.index, event]));
  return indexes.flatMap((index) => {
    const event = byIndex.get(index);
    return event ? [loggedAttestation(event)] : [];
  });
}

function loggedAttestation({ index, body }: LogEvent): LoggedAttestation {
  const { attestation, mediaType, predicateType, signer, subjects, times, source, builder } = body;
  const summary = {
    id: attestation,
    mediaType,
    predicateType,
    signer,
    subjects,
    times,
    source,
    builder,
    index,
  };
  return summary as unknown as LoggedAttestation;
}

function groupByDigest(attestations: readonly LoggedAttestation[]): FoundArtifact[] {
  const artifacts = new Map<Digest, { digest: Digest; name?: string; attestations: LoggedAttestation[] }>();
  for (const attestation of attestations) {
    for (const { name, digests } of attestation.subjects) {
      for (const digest of digests) {
        const artifact = artifacts.get(digest) ?? { digest, attestations: [] };
        if (name !== undefined) artifact.name ??= name;
        if (!artifact.attestations.includes(attestation)) artifact.attestations.push(attestation);
        artifacts.set(digest, artifact);
      }
    }
  }
  return [...artifacts.values()];
}
