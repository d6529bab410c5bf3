import type { Approval, Approvals, ApprovalToGrant, Exception, ExceptionToGrant } from "./approval-types.ts";
import { authorityCalls } from "./authorities.ts";
import { callerCalls } from "./callers.ts";
import { createCalls, json } from "./calls.ts";
import type { CustodyEvent, CustodyPage, CustodyQuery } from "./custody-types.ts";
import { decisionCalls } from "./decisions.ts";
import { discoveryCalls } from "./discovery.ts";
import type {
  AgentCredential,
  FederatedWith,
  Identity,
  IdentityChange,
  JwtSvidRequest,
  JwtSvids,
  Registration,
  X509SvidRequest,
  X509Svids,
} from "./identity-types.ts";
import { inventoryCalls } from "./inventory.ts";
import { logCalls } from "./log-calls.ts";
import { flags, part, search } from "./paths.ts";
import { projectCalls } from "./projects.ts";
import { quarantineCalls } from "./quarantines.ts";
import { reportCalls } from "./reports.ts";
import { retentionCalls } from "./retention.ts";
import { revocationCalls } from "./revocations.ts";
import { simulate } from "./simulate.ts";
import type { SimulationProgress, SimulationRequest } from "./simulation-types.ts";
import { createTransport, type Pieces, type TransportOptions } from "./transport.ts";
import type { ActiveTrust, RefreshedTrust, TrustActivated } from "./trust-types.ts";
import type {
  ActivePolicies,
  ArtifactDetails,
  ArtifactFound,
  DecisionRecorded,
  DecisionToRecord,
  ItemResult,
  ManifestRecorded,
  PoliciesActivated,
  PolicyDocument,
  Pushed,
  Receipt,
} from "./types.ts";

/** One method a route. Each throws `ApiError`, and nothing else for what the server or the network did. */
export type Client = ReturnType<typeof createClient>;

export type { Question } from "./decisions.ts";

export interface ArtifactQuery {
  readonly repository?: string;
  readonly commit?: string;
  readonly signer?: string;
  readonly limit?: number;
  readonly after?: string;
}

export interface IdentityQuery {
  readonly digest?: string;
  readonly spiffeId?: string;
  /** Serial number in hex, or the JWT's `jti`. */
  readonly serial?: string;
  readonly workload?: string;
  readonly requester?: string;
  /** Only those that have not expired. */
  readonly live?: boolean;
  readonly limit?: number;
  readonly after?: string;
}

/** A client for one server. Calls that change nothing when repeated are tried again after 429 and 503. */
export function createClient(options: TransportOptions) {
  const transport = createTransport(options);

  const { get, text, post } = createCalls(transport);

  const readCustody = (
    digest: string,
    { types = [], proofs, related, summary, ...page }: CustodyQuery = {},
  ) =>
    get<CustodyPage>(
      `/custody/${part(digest)}${search({ type: types, ...page, ...flags({ proofs, related, summary }) })}`,
    );

  return {
    /** Whether the process lives. */
    health: () => get<unknown>("/healthz"),
    /** Whether the node can answer: throws `unavailable` or `stale` when not. */
    ready: () => get<unknown>("/readyz"),
    openApi: () => get<unknown>("/openapi.json"),
    ...logCalls(transport),

    /** Pushes one item of evidence. Known evidence is no error: `created` is false and the receipt the same. */
    async pushAttestation(
      bytes: Uint8Array,
      mediaType = "application/json",
    ): Promise<Pushed & { created: boolean }> {
      const body = { mediaType, bytes };
      const answer = await transport({ method: "POST", path: "/attestations", body, repeatable: true });
      return { ...json<Pushed>(answer), created: answer.status === 201 };
    },
    /**
     * Pushes several items of evidence: JSON Lines, at most 1,000, or as `application/json` a container that the
     * server unpacks. A refused item is a result, not an error.
     */
    async pushSeveral(bytes: Uint8Array, mediaType = "application/jsonl"): Promise<readonly ItemResult[]> {
      const body = { mediaType, bytes };
      const answer = await transport({ method: "POST", path: "/attestations", body, repeatable: true });
      return json<{ results: ItemResult[] }>(answer).results;
    },
    /** Records what an image index or image manifest contains. A known one is no error: `created` is false. */
    async recordManifest(
      bytes: Uint8Array,
      mediaType = "application/json",
    ): Promise<ManifestRecorded & { created: boolean }> {
      const body = { mediaType, bytes };
      const answer = await transport({ method: "POST", path: "/manifests", body, repeatable: true });
      return { ...json<ManifestRecorded>(answer), created: answer.status === 201 };
    },
    async readEvidence(id: string): Promise<{ mediaType: string; bytes: Uint8Array }> {
      const { mediaType, bytes } = await transport({
        method: "GET",
        path: `/attestations/${part(id)}`,
        repeatable: true,
      });
      return { mediaType, bytes };
    },

    /** Artifacts by what their evidence says; at least one of repository, commit and signer. */
    findArtifacts: (query: ArtifactQuery) =>
      get<{ artifacts: readonly ArtifactFound[]; next: string | null }>(`/artifacts${search({ ...query })}`),
    readArtifact: (digest: string) => get<ArtifactDetails>(`/artifacts/${part(digest)}`),

    ...decisionCalls({ get, post }, transport),
    /** The key that summaries are signed with, PEM. */
    summaryKey: () => text("/vsa/key"),
    readPolicies: () => get<ActivePolicies>("/policies"),
    /** Compare-and-swap on `previous`, so it may be repeated; throws `invalid-policy` with `diagnostics`, or `conflict`. */
    activatePolicies: (documents: readonly PolicyDocument[], previous: string | null) =>
      post<PoliciesActivated>("/policies", { documents, previous }, { repeatable: true }),
    /**
     * What would change if these policies were active. Throws `invalid-policy` with `diagnostics`; `unavailable` while the
     * node does another simulation of the project, or as many as it may.
     */
    simulatePolicies: (request: SimulationRequest, onProgress?: (progress: SimulationProgress) => void) =>
      simulate(transport, request, onProgress),
    /** What the instances' TUF repositories publish now; changes nothing. */
    refreshTrust: async () =>
      json<RefreshedTrust>(await transport({ method: "POST", path: "/trust/refresh", repeatable: true })),
    readTrust: () => get<ActiveTrust>("/trust"),
    activateTrust: (document: unknown, previous: string | null) =>
      post<TrustActivated>("/trust", { document, previous }, { repeatable: true }),

    /** `agent` is its SPIFFE ID. */
    revokeAgent: (agent: string, reason: string) =>
      post<{ agent: string; receipt: Receipt }>("/agents/revoke", { agent, reason }, { repeatable: true }),

    ...discoveryCalls({ post }),
    ...quarantineCalls({ get, post }),
    ...retentionCalls(get, post),

    ...revocationCalls({ get, post }),
    ...authorityCalls({ get, post }),

    readApprovals: (digest: string) => get<Approvals>(`/artifacts/${part(digest)}/approvals`),
    /** A repeat is answered by the approval that stands. */
    approve: (digest: string, approval: ApprovalToGrant) =>
      post<Approval & { receipt: Receipt }>(`/artifacts/${part(digest)}/approvals`, approval, {
        repeatable: true,
      }),
    withdrawApproval: (digest: string, id: string, reason: string) =>
      post<{ id: string; receipt: Receipt }>(
        `/artifacts/${part(digest)}/approvals/${part(id)}/withdraw`,
        { reason },
        { repeatable: false },
      ),
    grantException: (digest: string, exception: ExceptionToGrant) =>
      post<Exception & { receipt: Receipt }>(`/artifacts/${part(digest)}/exceptions`, exception, {
        repeatable: false,
      }),
    withdrawException: (digest: string, id: string, reason: string) =>
      post<{ id: string; receipt: Receipt }>(
        `/artifacts/${part(digest)}/exceptions/${part(id)}/withdraw`,
        { reason },
        { repeatable: false },
      ),
    listExceptions: async () => (await get<{ exceptions: readonly Exception[] }>("/exceptions")).exceptions,

    recordDecision: (decision: DecisionToRecord) =>
      post<DecisionRecorded>("/decisions", decision, { repeatable: false }),

    /** A page of an artifact's events, and of those beside them. */
    readCustody,
    /** The same events, of all pages, without a summary. The first of them fixes the log size; without one, that is the newest. */
    async *custodyEvents(digest: string, query: CustodyQuery = {}): AsyncGenerator<CustodyEvent> {
      let page = await readCustody(digest, { limit: 200, summary: false, ...query });
      yield* page.events;
      while (page.next !== null) {
        const asOf = String(page.treeSize);
        page = await readCustody(digest, { limit: 200, ...query, asOf, after: page.next });
        yield* page.events;
      }
    },
    /** The custody file of an artifact, to be verified offline, as it comes. @param asOf a log size or a time */
    exportCustody: async (digest: string, asOf?: string): Promise<Pieces> => {
      const path = `/custody/${part(digest)}.pack${search({ asOf })}`;
      const { body = [] } = await transport({ method: "GET", path, repeatable: true, streamed: true });
      return body;
    },

    /** With a join token, which is used up: an agent's first credential. @param csr base64 DER */
    joinAgent: (csr: string) => post<AgentCredential>("/agents", { csr }, { repeatable: false }),
    /** An agent's first certificate, by a rule for agents: with its pod's service-account token, or a proof by an SVID. */
    enrollAgent: (csr: string, by: { readonly kubernetes: string } | { readonly svid: string }) =>
      post<AgentCredential>("/agents/enroll", { csr, ...by }, { repeatable: false }),
    /** With the agent's proof, of the key that it had so far. */
    renewAgent: (csr: string) => post<AgentCredential>("/agents/renew", { csr }, { repeatable: true }),
    /** Throws `identity-denied` with `reasons` where nothing is granted. */
    requestX509Svids: (request: X509SvidRequest) =>
      post<X509Svids>("/svid/x509", request, { repeatable: true }),
    requestJwtSvids: (request: JwtSvidRequest) => post<JwtSvids>("/svid/jwt", request, { repeatable: true }),
    listIdentities: ({ live, ...query }: IdentityQuery = {}) =>
      get<{ identities: readonly Identity[]; next: string | null }>(
        `/identities${search({ ...query, ...flags({ live }) })}`,
      ),
    ...inventoryCalls({ get }),
    ...reportCalls({ get }),
    ...projectCalls({ get, post }),
    /**
     * Answers once something may have changed for the calling agent's identities since the log had `after` events,
     * or after 25 seconds; without `after` at once.
     */
    watchIdentities: (after?: number, signal?: AbortSignal) =>
      get<IdentityChange>(`/identities/watch${search({ ...(after !== undefined && { after }) })}`, signal),
    /** The workload policies that ask for files of the calling agent's workloads. */
    listRegistrations: () => get<{ registrations: readonly Registration[] }>("/registrations"),
    /** The trust domain's SPIFFE bundle, as JSON text. */
    trustBundle: () => text("/trust-bundle"),
    /** The trust domains that are federated with; for an agent those that its workloads may believe. */
    federation: () => get<{ federation: readonly FederatedWith[] }>("/federation"),
    /** The trust domains that a workload with these selectors may believe besides its own. */
    workloadFederation: (selectors: readonly string[]) =>
      post<{ federatesWith: readonly string[] }>("/svid/federation", { selectors }, { repeatable: true }),
    /** The keys of JWT-SVIDs, as a JWK Set. */
    jwks: () => get<unknown>("/jwks.json"),

    ...callerCalls({ get, post }, transport),
  };
}
