import { PROJECT_CHAIN, type ProjectId } from "../../custody/events.ts";
import type { Receipt } from "../../custody/receipt.ts";
import { activeTrust } from "../../db/activations.ts";
import { readHead } from "../../db/log.ts";
import { createTrust, extendsTrust, type TrustDocument, type TrustSnapshot } from "../../trust/snapshot.ts";
import { refuseOlder } from "../../trust/tuf-source.ts";
import { appendFresh, onlyEvent } from "../append.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { reevaluateProject } from "../decisions/reevaluate.ts";
import { conflict } from "./activate-policies.ts";
import { summarizeTrust, type TrustSummary } from "./trust-summary.ts";

export interface TrustProposal {
  readonly document: TrustDocument;
  /** Hash of the snapshot that this one is to replace; null where none is active. */
  readonly previous: string | null;
}

export interface ActivatedTrust {
  readonly trust: string;
  readonly summary: TrustSummary;
  /** Whether it only added to what was active, so that everything that passed goes on holding. */
  readonly extendsPrevious: boolean;
  /** Null when this very snapshot was active already. */
  readonly receipt: Receipt | null;
}

/**
 * Puts a trust snapshot in force by compare-and-swap on the one that its author saw. Where it takes anything away,
 * verdicts under the earlier one no longer hold; where it only adds, passes go on holding. Either way everything is
 * verified anew in the background.
 *
 * @throws VouchsafeError `invalid-trust`, also for one older than what is active; `conflict` with the snapshot that is active
 */
export async function activateTrust(
  v: Vouchsafe,
  { project, token }: Pick<Caller, "project" | "token">,
  { document, previous }: TrustProposal,
): Promise<ActivatedTrust> {
  const snapshot = createTrust(document);
  let extendsPrevious = true;

  const { committed } = await appendFresh(v, async () => {
    const { size } = await readHead(v.database.kysely);
    const active = (await activeTrust(v.database.kysely, project))?.trust ?? null;
    if (active !== snapshot.hash && active !== previous) throw conflict("trust snapshot", active);
    const basis = { project, asOf: size, restsOn: [PROJECT_CHAIN] };
    if (active === snapshot.hash) return { proposal: { ...basis, events: [] } };
    const replaced = active === null ? undefined : await v.documents.trust(project, active);
    if (replaced !== undefined) refuseOlder(snapshot.instances, replaced.instances);
    extendsPrevious = replaced !== undefined && extendsTrust(snapshot, replaced);
    const event = {
      type: "trust.activated",
      about: [PROJECT_CHAIN],
      body: { previous, trust: snapshot.hash, extendsPrevious, caller: token },
    } as const;
    const documents = [{ hash: snapshot.hash, kind: "trust", bytes: snapshot.bytes }] as const;
    return { proposal: { ...basis, events: [event], documents } };
  });
  const summary = summarizeTrust(snapshot);
  if (committed.length === 0) {
    return { trust: snapshot.hash, summary, extendsPrevious: true, receipt: null };
  }
  v.background((signal) => reevaluateProject(v, project, signal));
  return { trust: snapshot.hash, summary, extendsPrevious, receipt: onlyEvent(committed).receipt };
}

/** The active trust snapshot, and what the TUF repositories of its instances last answered this node. */
export async function readTrust(v: Vouchsafe, { project }: Pick<Caller, "project">) {
  const snapshot = await readActiveTrust(v, project);
  if (snapshot === undefined) return { trust: null, document: null, summary: null, sources: [] };
  const answered = v.trustSources.get(project) ?? [];
  const sources = snapshot.instances.flatMap(({ name }) => answered.filter((one) => one.name === name));
  return { trust: snapshot.hash, document: snapshot.document, summary: summarizeTrust(snapshot), sources };
}

/** Undefined where none was activated yet. */
export async function readActiveTrust(v: Vouchsafe, project: ProjectId): Promise<TrustSnapshot | undefined> {
  const active = await activeTrust(v.database.kysely, project);
  return active && v.documents.trust(project, active.trust);
}
