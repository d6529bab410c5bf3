import { type Glob, tokenize } from "./glob.ts";

/** A service that gives OIDC tokens to its users' jobs and machines. */
export interface Platform {
  /** As `use` has it. */
  readonly name: string;
  /** Its one issuer, which all of its users share; absent: each has one of his own, which the policy names. */
  readonly issuer?: string;
  /** What the issuers of its users look like. */
  readonly issuers?: RegExp;
  /** How such an issuer is written, for people. */
  readonly example?: string;
  /** Which claims say whose the token is. Empty where the issuer already does. */
  readonly tenants: readonly Tenant[];
  /** The claim that says who had the job run: the person, where the job approves something. */
  readonly actor?: string;
  /** Whether callers are named by their verified address, as `sub` is a number. */
  readonly namesByEmail?: true;
}

/** A claim that says whose a token is, when its value is pinned so far. */
interface Tenant {
  readonly claim: string;
  /** How the text before the first `*` of a pattern must begin; absent: there is no `*` at all. */
  readonly pinned?: RegExp;
  /** What must be demanded besides, or else the claim says nothing. */
  readonly with?: { readonly claim: string; readonly value: string };
}

const OWNER = /^[^/]+\//;

/**
 * The claims are those that the platforms document. Who can choose his own name there chooses the claim's value, so that
 * names which only look like somebody's (a pipeline's, a branch's) are not among them.
 */
export const PLATFORMS: readonly Platform[] = [
  {
    name: "github-actions",
    issuer: "https://token.actions.githubusercontent.com",
    tenants: [
      { claim: "repository", pinned: OWNER },
      { claim: "repository_id" },
      { claim: "repository_owner" },
      { claim: "repository_owner_id" },
      { claim: "job_workflow_ref", pinned: OWNER },
      { claim: "sub", pinned: /^(repo:[^/:]+\/|repository_owner(_id)?:[^:]+:)/ },
    ],
    actor: "actor",
  },
  {
    name: "gitlab",
    issuer: "https://gitlab.com",
    tenants: [
      { claim: "project_path", pinned: OWNER },
      { claim: "project_id" },
      { claim: "namespace_path" },
      { claim: "namespace_path", pinned: OWNER },
      { claim: "namespace_id" },
      { claim: "sub", pinned: /^project_path:[^/:]+\// },
    ],
    actor: "user_login",
  },
  {
    name: "buildkite",
    issuer: "https://agent.buildkite.com",
    tenants: [
      { claim: "organization_slug" },
      { claim: "organization_id" },
      { claim: "pipeline_id" },
      { claim: "sub", pinned: /^organization:[^:]+:/ },
    ],
  },
  {
    name: "circleci",
    issuers: /^https:\/\/oidc\.circleci\.com\/org\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    example: "https://oidc.circleci.com/org/ORGANIZATION-ID",
    tenants: [],
  },
  {
    name: "google",
    issuer: "https://accounts.google.com",
    tenants: [
      { claim: "email", with: { claim: "email_verified", value: "true" } },
      { claim: "sub" },
      { claim: "hd" },
    ],
    namesByEmail: true,
  },
  // The issuer is the cluster's; clusters that say https://kubernetes.default.svc are told apart by their keys.
  { name: "kubernetes", issuers: /^https:\/\//, example: "https://ISSUER-OF-THE-CLUSTER", tenants: [] },
];

/** The platform whose shared issuer this is. */
export function platformOf(issuer: string): Platform | undefined {
  return PLATFORMS.find((one) => one.issuer === issuer);
}

/** What a demand on claims is judged by. */
interface Demanded {
  readonly claim: string;
  readonly values: readonly Glob[];
}

/**
 * Why a rule on this platform would let in anybody who has an account there: a sentence that says what to add. Undefined
 * for a rule whose claims are of one tenant.
 */
export function missingTenant({ name, tenants }: Platform, demands: readonly Demanded[]): string | undefined {
  if (tenants.length === 0) return undefined;
  const isPinned = tenants.some((tenant) => demands.some((one) => pins(tenant, one, demands)));
  if (isPinned) return undefined;
  const claims = [...new Set(tenants.map(({ claim }) => `\`${claim}\``))];
  return (
    `anybody who has an account on ${name} could be let in by this rule: add a claim that says whose the token is, ` +
    `one of ${claims.join(", ")}, with the owner written out${besides(tenants)}`
  );
}

function besides(tenants: readonly Tenant[]): string {
  return tenants
    .flatMap(({ claim, with: other }) =>
      other === undefined ? [] : [` (\`${claim}\` goes with \`${other.claim}: ${other.value}\`)`],
    )
    .join("");
}

function pins(tenant: Tenant, { claim, values }: Demanded, demands: readonly Demanded[]): boolean {
  if (claim !== tenant.claim || !values.every((glob) => isWrittenOut(tenant, glob))) return false;
  const { with: other } = tenant;
  if (other === undefined) return true;
  return demands.some(
    (one) => one.claim === other.claim && one.values.every(({ text }) => text === other.value),
  );
}

function isWrittenOut({ pinned }: Tenant, { text }: Glob): boolean {
  const tokens = tokenize(text);
  const wildcard = tokens.findIndex((token) => typeof token === "string");
  if (pinned === undefined) return wildcard === -1;
  const before = wildcard === -1 ? tokens : tokens.slice(0, wildcard);
  return pinned.test(before.map((token) => (typeof token === "object" ? token.plain : "")).join(""));
}
