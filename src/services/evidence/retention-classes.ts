import { PROJECT_CHAIN, type ProjectId } from "../../custody/events.ts";
import { readHead } from "../../db/log.ts";
import { assignedClass, keptAttestationsAbout, standingHolds } from "../../db/retention.ts";
import { VouchsafeError } from "../../errors.ts";
import { parseDigest } from "../../in-toto-attestation/digest.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { keepingOf, type RetentionSpec } from "../../policy/retention.ts";
import { activePolicySet } from "../active-policy-set.ts";
import { appendFresh, onlyEvent } from "../append.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";

/** What the active policies say of retention; undefined: everything is kept for ever. */
export async function activeRetention(v: Vouchsafe, project: ProjectId): Promise<RetentionSpec | undefined> {
  return (await activePolicySet(v, project))?.retention?.spec;
}

/**
 * Assigns an artifact its retention class, in the place of the default or of the one before.
 *
 * @throws VouchsafeError `not-found` where the active policies have no such class
 */
export async function assignRetention(
  v: Vouchsafe,
  { project, token }: Caller,
  request: { readonly artifact: string; readonly class: string; readonly reason: string },
) {
  const artifact = parseDigest(request.artifact);
  const { class: name, reason } = request;
  const { committed } = await appendFresh(v, async () => {
    const { size } = await readHead(v.database.kysely);
    if (!(await activeRetention(v, project))?.classes.has(name)) {
      throw new VouchsafeError("not-found", `The active policies have no retention class ${name}`);
    }
    const body = { artifact, class: name, reason, caller: token };
    const event = { type: "retention.assigned", about: [artifact], body } as const;
    return { proposal: { project, asOf: size, restsOn: [PROJECT_CHAIN], events: [event] } };
  });
  return { artifact, class: name, receipt: onlyEvent(committed).receipt };
}

/** Evidence whose bytes are there, and what keeps them. */
interface KeptEvidence {
  readonly attestation: Digest;
  readonly acceptedAt: string;
  readonly state: "held" | "kept" | "live" | "due";
  /** RFC 3339; null where no time ends it: under a hold, and for ever. */
  readonly keptUntil: string | null;
}

/** An artifact's retention class, the holds on it, and what keeps each piece of evidence about it. */
export async function readRetention(v: Vouchsafe, { project }: Caller, text: string) {
  const artifact = parseDigest(text);
  const { kysely } = v.database;
  const now = v.clock();
  const spec = await activeRetention(v, project);
  const assigned = await assignedClass(kysely, project, artifact);
  const kept = await keptAttestationsAbout(kysely, project, artifact, now);
  return {
    artifact,
    class: assigned ?? spec?.default ?? null,
    isAssigned: assigned !== undefined,
    holds: await standingHolds(kysely, project, artifact),
    evidence: kept.map(({ id, acceptedAt, uses }): KeptEvidence => {
      const keeping = keepingOf(spec, uses, now);
      const until = keeping.case === "held" ? Number.POSITIVE_INFINITY : keeping.until;
      return {
        attestation: id,
        acceptedAt: new Date(acceptedAt).toISOString(),
        state: keeping.case,
        keptUntil: Number.isFinite(until) ? new Date(until).toISOString() : null,
      };
    }),
  };
}
