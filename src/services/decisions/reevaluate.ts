import type { ProjectId } from "../../custody/events.ts";
import { withEndedVerdicts } from "../../db/due-projects.ts";
import { artifactsAfter } from "../../db/evidence.ts";
import { type EndedVerdict, endedVerdicts } from "../../db/verdicts.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { activePolicySet } from "../active-policy-set.ts";
import { appendFresh } from "../append.ts";
import type { Vouchsafe } from "../context.ts";
import { inTurns, type Pages, PROJECTS_AT_ONCE } from "../in-turns.ts";
import { evaluateArtifacts } from "./evaluate-artifacts.ts";

/** Artifacts evaluated and committed together. */
const PAGE = 64;

/**
 * Evaluates artifacts anew and commits what changed; outcomes that stayed are confirmed and not logged again.
 *
 * @param policies evaluated whether or not they say that they apply: somebody asked for them by name
 */
export async function reevaluate(
  v: Vouchsafe,
  project: ProjectId,
  artifacts: readonly Digest[],
  policies: readonly string[] = [],
): Promise<void> {
  await appendFresh(v, async () => {
    const { events, confirmations, basis } = await evaluateArtifacts(v, project, artifacts, { policies });
    return { proposal: { ...basis, events, confirmations } };
  });
}

/**
 * The same for those that nobody waits for: what cannot be evaluated stays as it is until it is asked about, and must
 * not keep others from their turn.
 */
export async function reevaluateInTurn(
  v: Vouchsafe,
  project: ProjectId,
  artifacts: readonly Digest[],
): Promise<void> {
  try {
    await reevaluate(v, project, artifacts);
  } catch (cause) {
    v.report("artifacts could not be evaluated anew", cause);
  }
}

/** How often each project was to be evaluated anew: what is under way for an earlier time gives way. */
const times = new WeakMap<Vouchsafe, Map<ProjectId, number>>();

/**
 * Evaluates every artifact of a project anew, after policies or trust changed. Decisions do not wait for it: until
 * an artifact's turn has come its verdicts are outdated, and a question about it evaluates it at once. However often they change,
 * a node does it once at a time for each project, for what is newest.
 */
export async function reevaluateProject(
  v: Vouchsafe,
  project: ProjectId,
  signal: AbortSignal,
): Promise<void> {
  const ofProjects = times.get(v) ?? new Map<ProjectId, number>();
  const mine = (ofProjects.get(project) ?? 0) + 1;
  times.set(v, ofProjects.set(project, mine));
  let last: Digest | undefined;
  while (!signal.aborted && ofProjects.get(project) === mine) {
    const artifacts = await artifactsAfter(v.database.kysely, project, last, PAGE);
    if (artifacts.length === 0) return;
    await reevaluateInTurn(v, project, artifacts);
    last = artifacts.at(-1);
  }
}

/**
 * Evaluates anew what has passed until now, in every project, so that the end of a pass is an event of the artifact's chain, or newer
 * evidence takes its place. Nothing waits for it: a pass that has ended is denied and evaluated when asked about. Where
 * another node did it, nothing changes.
 */
export async function reevaluateEnded(v: Vouchsafe, signal: AbortSignal): Promise<void> {
  const projects = await withEndedVerdicts(v.database.kysely, v.clock());
  const failed = (cause: unknown) => v.report("passes that have ended could not be evaluated anew", cause);
  await inTurns(
    projects.map((project) => endedPages(v, project)),
    { atOnce: PROJECTS_AT_ONCE, signal, failed },
  );
}

async function* endedPages(v: Vouchsafe, project: ProjectId): Pages {
  const { kysely } = v.database;
  const policySet = await activePolicySet(v, project);
  if (policySet === undefined) return;
  const now = v.clock();
  for (let after: EndedVerdict | undefined; ; ) {
    const page = { policies: [...policySet.policies.keys()], now, limit: PAGE, ...(after && { after }) };
    const ended = await endedVerdicts(kysely, project, page);
    if (ended.length === 0) return;
    await reevaluateInTurn(v, project, [...new Set(ended.map(({ artifact }) => artifact))]);
    after = ended.at(-1);
    yield;
  }
}
