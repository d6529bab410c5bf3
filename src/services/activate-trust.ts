import { PROJECT_CHAIN } from "../custody/events.ts";
import type { Receipt } from "../custody/receipt.ts";
import { activeTrust } from "../db/activations.ts";
import { readHead } from "../db/log.ts";
import { createTrust, extendsTrust, type TrustDocument, type TrustSnapshot } from "../trust/snapshot.ts";
import { conflict } from "./activate-policies.ts";
import { appendFresh, onlyEvent } from "./append.ts";
import type { Caller } from "./caller.ts";
import type { Vouchsafe } from "./context.ts";
import { reevaluateProject } from "./reevaluate.ts";

export interface TrustProposal {
  readonly document: TrustDocument;
  /** Hash of the snapshot that this one is to replace; null where none is active. */
  readonly previous: string | null;
}

export interface ActivatedTrust {
  readonly trust: string;
  readonly summary: TrustSummary;
  /** Null when this very snapshot was active already. */
  readonly receipt: Receipt | null;
}

/** Whose signatures a snapshot believes, in short. */
export interface TrustSummary {
  readonly sigstore: readonly {
    readonly name: string;
    readonly certificateAuthorities: number;
    readonly timestampAuthorities: number;
    readonly logs: number;
    readonly ctLogs: number;
  }[];
  readonly keys: readonly { readonly name: string; readonly keyId: string }[];
}

/**
 * Puts a trust snapshot in force by compare-and-swap on the one that its author saw. Where it takes anything away,
 * verdicts under the earlier one no longer hold; where it only adds, passes go on holding. Either way everything is
 * verified anew in the background.
 *
 * @throws VouchsafeError `invalid-trust`; `conflict` with the snapshot that is active
 */
export async function activateTrust(
  v: Vouchsafe,
  { project, token }: Pick<Caller, "project" | "token">,
  { document, previous }: TrustProposal,
): Promise<ActivatedTrust> {
  const snapshot = createTrust(document);

  const { committed } = await appendFresh(v, async () => {
    const { size } = await readHead(v.database.kysely);
    const active = (await activeTrust(v.database.kysely, project))?.trust ?? null;
    if (active !== snapshot.hash && active !== previous) throw conflict("trust snapshot", active);
    const basis = { project, asOf: size, restsOn: [PROJECT_CHAIN] };
    if (active === snapshot.hash) return { proposal: { ...basis, events: [] } };
    const extendsPrevious =
      active !== null && extendsTrust(snapshot, await v.documents.trust(project, active));
    const event = {
      type: "trust.activated",
      about: [PROJECT_CHAIN],
      body: { previous, trust: snapshot.hash, extendsPrevious, caller: token },
    } as const;
    const documents = [{ hash: snapshot.hash, kind: "trust", bytes: snapshot.bytes }] as const;
    return { proposal: { ...basis, events: [event], documents } };
  });
  const summary = summarizeTrust(snapshot);
  if (committed.length === 0) return { trust: snapshot.hash, summary, receipt: null };
  v.background((signal) => reevaluateProject(v, project, signal));
  return { trust: snapshot.hash, summary, receipt: onlyEvent(committed).receipt };
}

/** The active trust snapshot. */
export async function readTrust(v: Vouchsafe, { project }: Pick<Caller, "project">) {
  const active = await activeTrust(v.database.kysely, project);
  if (!active) return { trust: null, document: null, summary: null };
  const snapshot = await v.documents.trust(project, active.trust);
  return { trust: snapshot.hash, document: snapshot.document, summary: summarizeTrust(snapshot) };
}

function summarizeTrust({ instances, keys }: TrustSnapshot): TrustSummary {
  return {
    sigstore: instances.map(({ name, certificateAuthorities, timestampAuthorities, logs, ctLogs }) => ({
      name,
      certificateAuthorities: certificateAuthorities.length,
      timestampAuthorities: timestampAuthorities.length,
      logs: logs.length,
      ctLogs: ctLogs.length,
    })),
    keys: keys.map(({ name, keyId }) => ({ name, keyId })),
  };
}
