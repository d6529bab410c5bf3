import type { TrustDomain } from "../../identity/spiffe-id.ts";
import { writeTrustBundle } from "../../identity/trust-bundle.ts";
import type { JsonObject } from "../../in-toto-attestation/index.ts";
import { federatedBy, matchWorkloads, mayAsk } from "../../policy/workload-policy.ts";
import { activePolicySet } from "../active-policy-set.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { requesterOf } from "../identities/requester.ts";
import { readRelationships } from "./relationships.ts";

/** A trust domain that the log says is federated with, and what its endpoint last did. Times are RFC 3339. */
export interface FederatedWith {
  readonly trustDomain: TrustDomain;
  readonly endpoint: { readonly url: string; readonly profile: "https_web" | "https_spiffe" } | null;
  /** A SPIFFE bundle document; null while none is known. */
  readonly bundle: JsonObject | null;
  readonly fetchedAt: string | null;
  /** Why the last attempt to fetch it was for nothing; null when it was not. */
  readonly problem: string | null;
}

/** The trust domains that are federated with; for an agent or an issuer those that its workloads may be told of. */
export async function readFederation(
  v: Vouchsafe,
  caller: Caller,
): Promise<{ readonly federation: readonly FederatedWith[] }> {
  const { policySet, relationships } = await readRelationships(v, caller.project);
  const seesAll = caller.roles.includes("operator") || caller.roles.includes("auditor");
  const requester = seesAll ? undefined : requesterOf(caller);
  const workloads = [...(policySet?.workloads.values() ?? [])];
  const own = requester && federatedBy(workloads.filter(({ spec }) => mayAsk(spec, requester)));
  return {
    federation: relationships
      .filter(({ trustDomain }) => own === undefined || own.includes(trustDomain))
      .map(({ trustDomain, endpoint, bundle, record }) => ({
        trustDomain,
        endpoint: endpoint === undefined ? null : { url: endpoint.url, profile: endpoint.profile.case },
        bundle: bundle === undefined ? null : writeTrustBundle(bundle),
        fetchedAt: record?.fetchedAt == null ? null : new Date(record.fetchedAt).toISOString(),
        problem: record?.trouble ?? null,
      })),
  };
}

/** The trust domains that a workload with these selectors may believe besides its own, whatever it runs. */
export async function readWorkloadFederation(
  v: Vouchsafe,
  caller: Caller,
  { selectors }: { readonly selectors: readonly string[] },
): Promise<{ readonly federatesWith: readonly TrustDomain[] }> {
  const policySet = await activePolicySet(v, caller.project);
  const workloads = policySet === undefined ? [] : matchWorkloads(policySet, requesterOf(caller), selectors);
  return { federatesWith: federatedBy(workloads) };
}
