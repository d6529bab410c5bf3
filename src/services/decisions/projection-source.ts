import { type EventType, INSTALLATION } from "../../custody/events.ts";
import { activePolicies, activeTrust } from "../../db/activations.ts";
import type { Database } from "../../db/connection.ts";
import { readDecisionInputs } from "../../db/decision-inputs.ts";
import { readEventsFrom, readHead } from "../../db/log.ts";
import { suspendedProjects } from "../../db/projects.ts";
import { readQuarantinesAsOf } from "../../db/quarantines.ts";
import { readRevocationsAsOf } from "../../db/revocations.ts";
import type { StandingVerdict } from "../../decisions/decide.ts";
import type { ProjectionSource } from "../../decisions/projection.ts";
import { CONTAINMENT_CHECK } from "../../policy/evaluation/containment.ts";
import type { Documents } from "../documents.ts";
import { inForceOf } from "./in-force.ts";

/** Events followed at a time. */
const PAGE = 1000;
const SUSPENSIONS: readonly EventType[] = ["project.suspended", "project.resumed"];

/**
 * What the projection reads, from the database.
 *
 * @param refresh awaited before the projection is as far as an event of the whole installation, or one that suspends or resumes a
 *   project: what waits for the log to have grown finds what follows from it
 */
export function createProjectionSource(
  database: Database,
  documents: Documents,
  refresh: {
    readonly installation: () => Promise<void>;
    readonly suspensions: (hasChanged: boolean) => Promise<void>;
  },
): ProjectionSource {
  const { kysely } = database;
  return {
    async artifactState(project, artifact) {
      const { size, verdicts, quarantines, approvals, exceptions, hasEvidence } = await readDecisionInputs(
        kysely,
        project,
        artifact,
      );
      const state = {
        verdicts: verdicts.map(withoutPasses),
        quarantines,
        approvals,
        exceptions,
        hasEvidence,
      };
      return { size, state };
    },
    async inForce(project) {
      // Read first: what is read after it is at least as new.
      const { size } = await readHead(kysely);
      const [policies, trust, revocationsAsOf, quarantinesAsOf, suspended] = await Promise.all([
        activePolicies(kysely, project),
        activeTrust(kysely, project),
        readRevocationsAsOf(kysely, project),
        readQuarantinesAsOf(kysely, project),
        suspendedProjects(kysely),
      ]);
      const isSuspended = suspended.includes(project);
      const active = { ...(policies && { policies }), ...(trust && { trust }), revocationsAsOf, isSuspended };
      return { size, inForce: await inForceOf({ documents }, project, active), quarantinesAsOf };
    },
    async touchedSince(from) {
      const events = await readEventsFrom(kysely, from, PAGE);
      if (events.some(({ project }) => project === INSTALLATION)) await refresh.installation();
      await refresh.suspensions(events.some(({ type }) => SUSPENSIONS.includes(type)));
      const touched = events.flatMap(({ project, about }) => about.map((key) => ({ project, key })));
      return { size: from + events.length, touched };
    },
  };
}

/** Most of what is known of an artifact are checks that passed, which no decision tells but one: not kept in memory. */
function withoutPasses(verdict: StandingVerdict): StandingVerdict {
  return {
    ...verdict,
    checks: verdict.checks.filter(({ check, passed }) => !passed || check === CONTAINMENT_CHECK),
  };
}
