import type { FastifyInstance, FastifyRequest, RouteOptions } from "fastify";
import type { ProjectId } from "../custody/events.ts";
import { VouchsafeError } from "../errors.ts";
import { networkOf } from "../ip-address.ts";
import type { Caller, Role } from "../services/caller.ts";
import { createQuota } from "./quota.ts";

/**
 * Who may call a route: anybody without a token; callers of any project that hold at least one of the roles, each for
 * what is its own project's; or only callers of the project `default`, for what is the whole installation's.
 */
export type Access = "public" | Roles | InstallationAccess;
type Roles = readonly [Role, ...Role[]];
interface InstallationAccess {
  readonly installation: Roles;
}

/** Access to what no project owns: authorities, the policy directory, the projects themselves. */
export function installation(roles: Roles): InstallationAccess {
  return { installation: roles };
}

export function rolesOf(access: Exclude<Access, "public">): Roles {
  return "installation" in access ? access.installation : access;
}

/** Calls in a minute: of one token, and of one address (`networkOf`) that presents none (or a wrong one). */
export interface RateLimits {
  readonly perCaller: number;
  readonly perAddress: number;
}

export interface GuardOptions {
  /** @param project the one that the caller names, by `Vouchsafe-Project` */
  readonly authenticate: (credential: string, project: string | undefined) => Promise<Caller>;
  /** The same at once for a token that was authenticated a moment ago. */
  readonly recall: (credential: string, project: string | undefined) => Caller | undefined;
  /** The agent that made this very request, by the value of its Authorization header. */
  readonly authenticateAgent: (
    authorization: string,
    request: ProvenRequest,
    project: string | undefined,
  ) => Promise<Caller>;
  /** Throws for a project whose callers may do nothing now. */
  readonly refuseSuspended: (project: ProjectId) => void;
  /** The project whose callers may do what is the installation's. */
  readonly installationProject: ProjectId;
  readonly rateLimits: RateLimits;
}

/** What an agent's proof binds: the request as it was sent. */
interface ProvenRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly body: Uint8Array;
}

declare module "fastify" {
  interface FastifyContextConfig {
    access?: Access;
    /**
     * Asks how the node is, so that it must be answered whatever else comes from the same address (a proxy's, or a
     * kubelet's): it is not counted. For public routes that cost nothing.
     */
    isProbe?: boolean;
  }
  interface FastifyRequest {
    caller: Caller | null;
    /** An agent's Authorization header, until it is judged with the body. */
    agentProof: string | null;
    /** The body as it was sent, of JSON. */
    sentBody: Uint8Array | null;
  }
  interface FastifyInstance {
    /** Every route, as `METHOD /path`, with who may call it. */
    routeAccess: Map<string, Access>;
    /** Who made this request, if it may still be made, for answers that go on. Throws as the guard does. */
    authenticateAgain: (request: FastifyRequest) => Promise<Caller>;
  }
}

const MINUTE = 60_000;
const AGENT_SCHEME = /^Vouchsafe-Agent /;
const NO_BODY = new Uint8Array(0);

/**
 * Guards every route that is registered after it: one hook authenticates the caller, counts the call and
 * compares the caller's roles with those that the route declares. A route that declares none does not register,
 * so none can be forgotten. Needs @fastify/rate-limit.
 */
export function guardRoutes(
  app: FastifyInstance,
  { authenticate, recall, authenticateAgent, refuseSuspended, installationProject, rateLimits }: GuardOptions,
): void {
  const addresses = addressLimiter(app, rateLimits.perAddress);
  const callers = callerLimiter(rateLimits.perCaller);

  async function admit(request: FastifyRequest, authenticated: () => Promise<Caller>): Promise<void> {
    let caller: Caller;
    try {
      caller = await authenticated();
    } catch (error) {
      // Guesses are counted where they come from, after the fact: refused before it, they would shut out every
      // caller behind the same proxy.
      await addresses(request);
      throw error;
    }
    letIn(request, caller);
  }

  function letIn(request: FastifyRequest, caller: Caller): void {
    callers(caller);
    refuseSuspended(caller.project);
    requireRole(caller, accessOf(request), installationProject);
    request.caller = caller;
  }

  async function guard(request: FastifyRequest): Promise<void> {
    const { access, isProbe = false } = request.routeOptions.config;
    if (isProbe) return;
    if (access === "public" || request.is404) return addresses(request);
    request.agentProof = agentProofOf(request);
    if (request.agentProof === null)
      await admit(request, () => authenticate(requireCredential(request), projectOf(request)));
  }

  app.decorateRequest("caller", null);
  app.decorateRequest("agentProof", null);
  app.decorateRequest("sentBody", null);
  app.decorate("routeAccess", new Map());
  app.decorate("authenticateAgain", async (request: FastifyRequest) => {
    const caller = await authenticate(requireCredential(request), projectOf(request));
    refuseSuspended(caller.project);
    requireRole(caller, accessOf(request), installationProject);
    return caller;
  });
  app.addHook("onRoute", (route) => {
    app.routeAccess.set(`${route.method} ${route.url}`, declaredAccess(route));
  });
  app.addHook("onRequest", (request, _reply, done) => {
    const credential = credentialOf(request);
    // Most calls are of a caller that is known: they wait for nothing.
    const known =
      credential !== undefined && accessOf(request) ? recall(credential, projectOf(request)) : undefined;
    if (known === undefined) guard(request).then(() => done(), done);
    else {
      letIn(request, known);
      done();
    }
  });
  // An agent's proof is of the body too, so it is judged once the body is there, and before anything reads it.
  app.addHook("preValidation", (request, _reply, done) => {
    const { agentProof, method, url: path, sentBody } = request;
    if (agentProof === null) {
      // Whoever sends slowly was let in long ago.
      if (request.caller !== null && request.body !== undefined) refuseSuspended(request.caller.project);
      return done();
    }
    const proven = { method, path, body: sentBody ?? NO_BODY };
    admit(request, () => authenticateAgent(agentProof, proven, projectOf(request))).then(() => done(), done);
  });
}

/** The header with an agent's proof, on a route that takes agents; to other routes it is no credential. */
function agentProofOf(request: FastifyRequest): string | null {
  const { authorization = "" } = request.headers;
  const access = accessOf(request);
  const isProof = AGENT_SCHEME.test(authorization) && access && rolesOf(access).includes("agent");
  return isProof ? authorization : null;
}

function accessOf(request: FastifyRequest): Exclude<Access, "public"> | undefined {
  const { access } = request.routeOptions.config;
  return access === "public" ? undefined : access;
}

/** Who calls. Only for handlers of routes that are not public. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new VouchsafeError("internal", "A public route asked who calls");
  return request.caller;
}

function declaredAccess({ method, url, config }: RouteOptions): Access {
  if (config?.access === undefined) {
    throw new TypeError(`${method} ${url} does not declare who may call it (config.access)`);
  }
  return config.access;
}

/** A route without a declaration cannot be here; if one were, nobody may call it. */
function requireRole(
  caller: Caller,
  access: Exclude<Access, "public"> | undefined,
  installationProject: ProjectId,
): void {
  const allowed = access && rolesOf(access);
  if (access !== undefined && "installation" in access && caller.project !== installationProject) {
    throw new VouchsafeError(
      "forbidden",
      "This is the whole installation's: it is for callers of the project default",
    );
  }
  if (allowed?.some((role) => caller.roles.includes(role))) return;
  const roles = allowed?.join(", ") ?? "nobody";
  throw new VouchsafeError(
    "forbidden",
    `This route is for ${roles}; the token holds ${caller.roles.join(", ")}`,
    {
      extensions: { roles: allowed ?? [] },
    },
  );
}

/**
 * The project that the caller names (`Vouchsafe-Project`): a credential that stands for a caller in several needs it. It
 * gives nobody anything: callers are what their credential is in that project.
 */
export function projectOf({ headers }: FastifyRequest): string | undefined {
  const named = headers["vouchsafe-project"];
  return Array.isArray(named) ? named.join() : named;
}

/** RFC 6750 §2.1. The scheme's name has no case (RFC 9110 §11.1). Tokens of CI systems have some 2,000 characters. */
function bearerOf({ headers }: FastifyRequest): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/-]{1,8192}=*)$/i.exec(headers.authorization ?? "")?.[1];
}

/** By the connection, of those whose client showed a certificate: what its requests are authenticated by. */
const credentials = new WeakMap<object, string>();

/** Has the requests on a connection authenticated by this, where they bring nothing themselves. */
export function rememberCredential(connection: object, credential: string): void {
  credentials.set(connection, credential);
}

/** What a request brings itself comes first, so that a proxy or an agent of its own workload can call for others. */
function credentialOf(request: FastifyRequest): string | undefined {
  return request.headers.authorization === undefined
    ? credentials.get(request.raw.socket)
    : bearerOf(request);
}

function requireCredential(request: FastifyRequest): string {
  const credential = credentialOf(request);
  if (credential === undefined)
    throw new VouchsafeError("unauthenticated", "Send Authorization: Bearer <token>");
  return credential;
}

function addressLimiter(app: FastifyInstance, max: number): (request: FastifyRequest) => Promise<void> {
  const keyGenerator = ({ ip }: FastifyRequest) => networkOf(ip);
  const count = app.createRateLimit({ max, timeWindow: MINUTE, keyGenerator });
  return async (request) => {
    const limit = await count(request);
    if (!limit.isAllowed && limit.isExceeded) throw rateLimited(max, limit.ttlInSeconds);
  };
}

/**
 * Callers hold what was given to them, so a plain count will do where addresses need more care. Each project counts its own:
 * callers of two may have one name, which who makes an access rule chooses.
 */
function callerLimiter(max: number): (caller: Caller) => void {
  const quotas = new Map<ProjectId, (token: string) => number>();
  return ({ project, token }) => {
    let secondsToWait = quotas.get(project);
    if (secondsToWait === undefined) {
      secondsToWait = createQuota({ max, window: MINUTE, clock: () => performance.now() });
      quotas.set(project, secondsToWait);
    }
    const seconds = secondsToWait(token);
    if (seconds > 0) throw rateLimited(max, seconds);
  };
}

function rateLimited(max: number, retryAfter: number): VouchsafeError {
  return new VouchsafeError(
    "rate-limited",
    `More than ${max} calls in a minute; wait ${retryAfter} seconds`,
    { extensions: { retryAfter } },
  );
}
