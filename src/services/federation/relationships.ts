import type { ProjectId } from "../../custody/events.ts";
import { type FederatedBundleRecord, readFederatedBundles } from "../../db/federated-bundles.ts";
import type { TrustDomain } from "../../identity/spiffe-id.ts";
import { parseTrustBundle, type TrustBundle, writeTrustBundle } from "../../identity/trust-bundle.ts";
import { canonicalJson, sha256 } from "../../in-toto-attestation/index.ts";
import type { BundleEndpoint, FederationSpec } from "../../policy/federated-trust-domain.ts";
import type { PolicySet } from "../../policy/load.ts";
import { activePolicySet } from "../active-policy-set.ts";
import type { Vouchsafe } from "../context.ts";

/** Another trust domain that the active policies name, and what is known of its bundle. */
export interface FederationRelationship {
  readonly trustDomain: TrustDomain;
  /** Names what the policies say of it. */
  readonly relationship: string;
  readonly endpoint: BundleEndpoint | undefined;
  /** The newest that was fetched, or else that of the policies; undefined where neither is there. */
  readonly bundle: TrustBundle | undefined;
  /** What its endpoint did; absent before the first attempt. */
  readonly record?: FederatedBundleRecord;
}

/** All that the log says is federated with now: never the node's own trust domain, whose bundle is its own. */
export async function readRelationships(
  v: Pick<Vouchsafe, "config" | "database" | "documents">,
  project: ProjectId,
): Promise<{
  readonly policySet: PolicySet | undefined;
  readonly relationships: readonly FederationRelationship[];
}> {
  const policySet = await activePolicySet(v, project);
  if (policySet === undefined || policySet.federations.size === 0) return { policySet, relationships: [] };
  const records = await readFederatedBundles(v.database.kysely, project);
  const relationships = [...policySet.federations.values()]
    .filter(({ spec }) => spec.trustDomain !== v.config.trustDomain)
    .map(({ spec }) => relationshipOf(spec, records));
  return { policySet, relationships };
}

function relationshipOf(
  spec: FederationSpec,
  records: readonly FederatedBundleRecord[],
): FederationRelationship {
  const { trustDomain, endpoint, bundle: first } = spec;
  const relationship = nameOf(spec);
  const record = records.find((one) => one.trustDomain === trustDomain && one.relationship === relationship);
  const fetched = record?.bundle ?? undefined;
  const bundle =
    fetched === undefined ? first : parseTrustBundle(new TextEncoder().encode(fetched), trustDomain);
  return { trustDomain, relationship, endpoint, bundle, ...(record && { record }) };
}

/** Of what is believed and whom it is asked from, and not of how the document describes it. */
function nameOf({ trustDomain, endpoint, bundle }: FederationSpec): string {
  return sha256(
    canonicalJson({
      trustDomain,
      ...(endpoint && { endpoint: { url: endpoint.url, profile: { ...endpoint.profile } } }),
      ...(bundle && { bundle: writeTrustBundle(bundle) }),
    }),
  );
}
