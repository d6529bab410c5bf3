import type { ProjectId } from "../../custody/events.ts";
import { federationStates } from "../../db/due-projects.ts";
import {
  claimFetch,
  dropOtherBundles,
  keepFederatedBundle,
  keepTrouble,
  readFederatedBundles,
} from "../../db/federated-bundles.ts";
import { trustDomainOf } from "../../identity/spiffe-id.ts";
import { type TrustBundle, writeTrustBundle } from "../../identity/trust-bundle.ts";
import type { BundleEndpoint } from "../../policy/federated-trust-domain.ts";
import type { Vouchsafe } from "../context.ts";
import { inTurns, type Pages, PROJECTS_AT_ONCE } from "../in-turns.ts";
import { type FetchedBundle, fetchBundle } from "./fetch-bundle.ts";
import { type FederationRelationship, readRelationships } from "./relationships.ts";

/** Seconds for which a node that does not come back keeps the others from fetching: longer than a fetch takes. */
const LEASE = 20;
/** Seconds between fetches: what the bundle hints at (SPIFFE_Trust_Domain_and_Bundle.md §4.1.3), within reason. */
const REFRESH = { least: 10, default: 300, most: 3600 };
/** Seconds after which an endpoint that never gave a bundle is asked again. */
const FIRST_RETRY = 30;

type Fetchable = FederationRelationship & { readonly endpoint: BundleEndpoint };

/** The policy document under which this node last looked at each project's bundles. */
const lookedAt = new WeakMap<Vouchsafe, Map<ProjectId, string>>();

/**
 * Fetches the bundles of other trust domains that are due, in every project, of each on one node at a time. An endpoint that cannot be
 * reached or believed leaves the bundle of before, and is asked again at the next refresh (SPIFFE_Federation.md §6.2).
 * What a project federates with, and what was fetched for it, is its own: another that names the same trust domain fetches for itself.
 */
export async function refreshBundles(
  v: Vouchsafe,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const known = lookedAt.get(v) ?? new Map<ProjectId, string>();
  lookedAt.set(v, known);
  const states = await federationStates(v.database.kysely);
  const due = states.filter(({ project, document, isDue }) => isDue || known.get(project) !== document);
  async function* refresh({ project, document }: (typeof due)[number]): Pages {
    await refreshProject(v, project, signal);
    known.set(project, document);
    yield;
  }
  const failures: unknown[] = [];
  await inTurns(due.map(refresh), {
    atOnce: PROJECTS_AT_ONCE,
    signal,
    failed: (cause) => failures.push(cause),
  });
  if (failures.length > 0) throw failures[0];
}

async function refreshProject(v: Vouchsafe, project: ProjectId, signal: AbortSignal): Promise<void> {
  const { database } = v;
  const { relationships } = await readRelationships(v, project);
  const known = await readFederatedBundles(database.kysely, project);
  const fetchable = relationships.filter((one): one is Fetchable => one.endpoint !== undefined);
  if (known.some(({ trustDomain }) => fetchable.every((one) => one.trustDomain !== trustDomain))) {
    await dropOtherBundles(
      database.kysely,
      project,
      fetchable.map(({ trustDomain }) => trustDomain),
    );
  }
  await Promise.all(fetchable.map((one) => refreshOne(v, project, one, relationships, signal)));
}

async function refreshOne(
  v: Vouchsafe,
  project: ProjectId,
  relationship: Fetchable,
  relationships: readonly FederationRelationship[],
  signal?: AbortSignal,
): Promise<void> {
  const { database, clock, config } = v;
  const { trustDomain, endpoint, bundle: before } = relationship;
  const row = { project, trustDomain, relationship: relationship.relationship };
  if (!(await claimFetch(database, row, LEASE))) return;
  const fetched = newer(
    await fetchBundle({
      trustDomain,
      endpoint,
      authenticatedBy: authenticator(v, endpoint, relationships),
      now: clock(),
      rules: config.outbound,
      ...(config.federationCaFile !== undefined && { caFile: config.federationCaFile }),
      ...(signal && { signal }),
    }),
    relationship,
  );
  // A node that shuts down says nothing of the endpoint: another one asks it when the turn is over.
  if (signal?.aborted) return;
  if (fetched.case === "trouble") {
    const { what, cause } = fetched;
    if (relationship.record?.trouble !== what) {
      v.report(`the bundle of ${trustDomain} was not refreshed: ${what}`, cause);
    }
    const wait = relationship.record?.bundle == null ? FIRST_RETRY : secondsOf(before);
    await keepTrouble(database, row, { trouble: what, troubledAt: clock() }, wait);
    return;
  }
  const { bundle } = fetched;
  await keepFederatedBundle(
    database,
    row,
    {
      bundle: JSON.stringify(writeTrustBundle(bundle)),
      sequence: bundle.sequence ?? null,
      fetchedAt: clock(),
    },
    secondsOf(bundle),
  );
}

/** The newest bundle of the endpoint's own trust domain, which may be another than the one asked about, or ours. */
function authenticator(
  { authority }: Vouchsafe,
  { profile }: BundleEndpoint,
  relationships: readonly FederationRelationship[],
): TrustBundle | undefined {
  if (profile.case === "https_web") return undefined;
  const domain = trustDomainOf(profile.endpointId);
  if (domain === authority.trustDomain) return authority.bundle();
  return relationships.find(({ trustDomain }) => trustDomain === domain)?.bundle;
}

/** A bundle that was replaced does not come back: whoever kept an old one could bring back a key that leaked. */
function newer(fetched: FetchedBundle, { bundle: before }: FederationRelationship): FetchedBundle {
  if (fetched.case === "trouble" || before?.sequence === undefined) return fetched;
  const { sequence } = fetched.bundle;
  if (sequence === undefined)
    return { case: "trouble", what: "its endpoint gave a bundle without the sequence that it had before" };
  return sequence < before.sequence
    ? { case: "trouble", what: `its endpoint gave an older bundle: ${sequence} after ${before.sequence}` }
    : fetched;
}

function secondsOf(bundle: TrustBundle | undefined): number {
  const hint = bundle?.refreshHint ?? REFRESH.default;
  return Math.min(REFRESH.most, Math.max(REFRESH.least, hint));
}
