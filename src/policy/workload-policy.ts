import type { TrustDomain } from "../identity/spiffe-id.ts";
import { hexOf } from "../in-toto-attestation/digest.ts";
import { type ComponentDemand, type Components, demandedOf } from "./components.ts";
import type { Glob } from "./glob.ts";
import type { PolicySet } from "./load.ts";
import type { Mode } from "./policy.ts";

/** Who asks for an identity: a node's agent by its SPIFFE ID, or an issuer by its token's name. */
export type Requester =
  | { readonly case: "agent"; readonly spiffeId: string }
  | { readonly case: "issuer"; readonly name: string };

const ISSUER = "issuer:";
const DIGEST = "{digest}";

/** The requester as events and tables name it: an agent's SPIFFE ID, or `issuer:` and the token's name. */
export function requesterName(requester: Requester): string {
  return requester.case === "agent" ? requester.spiffeId : ISSUER + requester.name;
}

/** Reads what `requesterName` writes. */
export function parseRequester(name: string): Requester {
  return name.startsWith(ISSUER)
    ? { case: "issuer", name: name.slice(ISSUER.length) }
    : { case: "agent", spiffeId: name };
}

/** A loaded document of kind WorkloadPolicy: the registration of workloads. Only `loadPolicySet` makes one. */
export interface WorkloadPolicy {
  readonly name: string;
  readonly description?: string;
  /** Who answers for the workload: a team, an address. */
  readonly owner?: string;
  /** `sha256:…` of the canonical JSON of the document. */
  readonly hash: string;
  /** The file that it stands in. */
  readonly file: string;
  readonly spec: WorkloadSpec;
}

export interface WorkloadSpec {
  /** `audit`: what it would grant or deny is told and recorded; it grants nothing. */
  readonly mode: Mode;
  /** Each must match one of the workload's attested selectors. Never empty. */
  readonly selectors: readonly Glob[];
  /** The path of the SPIFFE ID, with `{digest}` and `{policy}` to be filled in. */
  readonly spiffeId: string;
  /** What must run, by component, in the document's order. Never empty. */
  readonly components: ReadonlyMap<string, ComponentDemand>;
  /** How long an SVID lives at most, in milliseconds. */
  readonly ttl: { readonly x509: number; readonly jwt: number };
  /** Audiences that a JWT-SVID may be for; absent: any. */
  readonly audiences?: readonly Glob[];
  /** Other trust domains whose SVIDs the workload may believe. */
  readonly federatesWith: readonly TrustDomain[];
  /** Who may ask. At least one of the lists is not empty. */
  readonly requesters: { readonly agents: readonly Glob[]; readonly issuers: readonly string[] };
}

/** The workload policies under which this requester may ask for what these selectors describe, by name. */
export function matchWorkloads(
  { workloads }: Pick<PolicySet, "workloads">,
  requester: Requester,
  selectors: readonly string[],
): WorkloadPolicy[] {
  return registeredTo({ workloads }, requester).filter(({ spec }) => selects(spec, selectors));
}

/** The workload policies under which this requester may ask for anything, by name. */
export function registeredTo(
  set: Pick<PolicySet, "workloads"> | undefined,
  requester: Requester,
): WorkloadPolicy[] {
  return [...(set?.workloads.values() ?? [])]
    .filter(({ spec }) => mayAsk(spec, requester))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The trust domains that any of these workload policies federates with, by name. */
export function federatedBy(workloads: Iterable<WorkloadPolicy>): TrustDomain[] {
  return [...new Set([...workloads].flatMap(({ spec }) => spec.federatesWith))].sort();
}

export function mayAsk({ requesters }: WorkloadSpec, requester: Requester): boolean {
  return requester.case === "agent"
    ? requesters.agents.some((glob) => glob.matches(requester.spiffeId))
    : requesters.issuers.includes(requester.name);
}

function selects(spec: WorkloadSpec, selectors: readonly string[]): boolean {
  return spec.selectors.every((glob) => selectors.some((selector) => glob.matches(selector)));
}

/** Whether the SPIFFE ID says what runs: then the first component has one digest and no more. */
export function namesDigest({ spiffeId }: Pick<WorkloadSpec, "spiffeId">): boolean {
  return spiffeId.includes(DIGEST);
}

/**
 * The path of the SPIFFE ID that the policy gives to what runs, which is named by its first component; undefined where
 * that is not there and would have to be named.
 */
export function pathFor(
  workload: Pick<WorkloadPolicy, "name" | "spec">,
  attested: Components,
): string | undefined {
  const [first = ""] = workload.spec.components.keys();
  const [digest] = demandedOf(workload, attested).get(first) ?? [];
  if (digest === undefined && namesDigest(workload.spec)) return undefined;
  return spiffePath(workload, digest === undefined ? "" : hexOf(digest));
}

/** The path with this digest, in hex, where a digest is named. */
export function spiffePath(
  { name, spec }: { readonly name: string; readonly spec: Pick<WorkloadSpec, "spiffeId"> },
  digestHex: string,
): string {
  return spec.spiffeId.replaceAll(DIGEST, digestHex).replaceAll("{policy}", name);
}
