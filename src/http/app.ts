import type { IncomingMessage, Server, ServerResponse } from "node:http";
import fastifyRateLimit from "@fastify/rate-limit";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import fastifyUnderPressure from "@fastify/under-pressure";
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from "fastify";
import { authenticateCaller } from "../services/access/authenticate-caller.ts";
import { createAuthenticator } from "../services/access/authenticator.ts";
import { authenticateAgent } from "../services/agents/authenticate-agent.ts";
import type { Vouchsafe } from "../services/context.ts";
import { sendAnswerHeaders } from "./answer-headers.ts";
import { guardRoutes } from "./authentication.ts";
import { takeStrictJson } from "./bodies.ts";
import { answerClientError, refuseExpectations, requireHost } from "./client-errors.ts";
import { closeDoorsInOrder } from "./drain.ts";
import { boundsOf, connectionLimits, MAX_JSON_BODY } from "./limits.ts";
import { countAnswers } from "./metrics-endpoint.ts";
import { describeRoutes, openapiRoutes } from "./openapi.ts";
import { sendProblem } from "./problems.ts";
import { agentRoutes } from "./resources/agents.ts";
import { approvalRoutes } from "./resources/approvals.ts";
import { artifactRoutes } from "./resources/artifacts.ts";
import { attestationRoutes } from "./resources/attestations.ts";
import { authorityRoutes } from "./resources/authorities.ts";
import { crlRoutes } from "./resources/crl.ts";
import { custodyRoutes } from "./resources/custody.ts";
import { decisionRoutes } from "./resources/decisions.ts";
import { discoveryRoutes } from "./resources/discovery.ts";
import { documentRoutes } from "./resources/documents.ts";
import { eventRoutes } from "./resources/events.ts";
import { exceptionRoutes } from "./resources/exceptions.ts";
import { federationRoutes } from "./resources/federation.ts";
import { healthRoutes } from "./resources/health.ts";
import { identityRoutes } from "./resources/identities.ts";
import { inventoryRoutes } from "./resources/inventory.ts";
import { logRoutes } from "./resources/log.ts";
import { logKeyRoutes } from "./resources/log-keys.ts";
import { logProofRoutes } from "./resources/log-proofs.ts";
import { logWitnessRoutes } from "./resources/log-witnesses.ts";
import { manifestRoutes } from "./resources/manifests.ts";
import { policyRoutes } from "./resources/policies.ts";
import { projectRoutes } from "./resources/projects.ts";
import { quarantineRoutes } from "./resources/quarantines.ts";
import { reportRoutes } from "./resources/reports.ts";
import { retentionRoutes } from "./resources/retention.ts";
import { revocationStreamRoutes } from "./resources/revocation-stream.ts";
import { revocationRoutes } from "./resources/revocations.ts";
import { svidRoutes } from "./resources/svid.ts";
import { tokenRoutes } from "./resources/tokens.ts";
import { trustRoutes } from "./resources/trust.ts";
import { trustBundleRoutes } from "./resources/trust-bundle.ts";
import { verifyDigestRoutes } from "./resources/verify-digest.ts";
import { vsaRoutes } from "./resources/vsa.ts";
import { whoAmIRoutes } from "./resources/who-am-i.ts";
import { traceRequests } from "./tracing.ts";
import { boundTurns } from "./turns.ts";
import { answerUnknownRoutes } from "./unknown-routes.ts";
import { closeQueryStrings, compileValidator } from "./validation.ts";

export type App = FastifyInstance<
  Server,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

const SECOND = 1000;

/**
 * Every door of the service, assembled over an opened node. Doors hold no rules: each takes a request apart,
 * calls one service and answers with what it returned.
 */
export async function createApp(v: Vouchsafe): Promise<App> {
  const { callsPerMinute: perCaller, callsPerMinutePerAddress: perAddress } = v.config;
  const limits = connectionLimits(v.config);
  const logger: FastifyBaseLogger = { ...v.logger, child: () => logger };
  const app: App = fastify({
    // One for all requests, and none of the server's own: with that Fastify would follow each answer to its end, to log
    // it. A line for each request costs a third of the throughput; the proxy in front writes them.
    childLoggerFactory: () => logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_JSON_BODY,
    ...limits,
    // A request without Host is answered by us (requireHost) and not by Node, which says no more than the status.
    http: { ...limits.http, requireHostHeader: false },
    routerOptions: { maxParamLength: 256 },
    return503OnClosing: false,
    frameworkErrors: sendProblem,
    clientErrorHandler: answerClientError,
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.server.maxConnections = v.config.connections;
  refuseExpectations(app.server);
  closeDoorsInOrder(app);
  const authenticator = createAuthenticator({
    lookUp: (bearer, project) => authenticateCaller(v, bearer, project),
    clock: v.clock,
    freshFor: 5 * SECOND,
    staleFor: v.config.maxStaleness,
    maxTokens: 10_000,
  });

  app.setValidatorCompiler(compileValidator);
  // Answers are written as the services gave them; schemas describe them and drop nothing in silence.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  app.setErrorHandler(sendProblem);
  answerUnknownRoutes(app);

  if (v.tracing !== undefined) traceRequests(app, v.tracing);
  sendAnswerHeaders(app);
  // Sheds load when each turn of the event loop takes a second for five on end. Over a shorter time one long turn
  // (the embedded database at work, a batch being verified) would already count as overload.
  await app.register(fastifyUnderPressure, {
    maxEventLoopDelay: SECOND,
    sampleInterval: 5 * SECOND,
    retryAfter: 5,
  });
  await app.register(fastifyRateLimit, { global: false });
  if (v.config.metricsPort !== undefined) countAnswers(app, v);
  await describeRoutes(app);
  guardRoutes(app, {
    authenticate: authenticator.authenticate,
    recall: authenticator.recall,
    authenticateAgent: (authorization, request, project) =>
      authenticateAgent(v, authorization, request, project),
    refuseSuspended: v.suspended.refuse,
    installationProject: v.project,
    rateLimits: { perCaller, perAddress },
  });
  boundTurns(app, boundsOf(v.config));
  requireHost(app);
  closeQueryStrings(app);
  takeStrictJson(app);

  healthRoutes(app, v);
  openapiRoutes(app);
  logRoutes(app, v);
  logKeyRoutes(app, v);
  logProofRoutes(app, v);
  logWitnessRoutes(app, v);
  attestationRoutes(app, v);
  manifestRoutes(app, v);
  artifactRoutes(app, v);
  discoveryRoutes(app, v);
  verifyDigestRoutes(app, v);
  vsaRoutes(app, v);
  policyRoutes(app, v);
  trustRoutes(app, v);
  quarantineRoutes(app, v);
  revocationRoutes(app, v);
  revocationStreamRoutes(app, v);
  approvalRoutes(app, v);
  exceptionRoutes(app, v);
  retentionRoutes(app, v);
  decisionRoutes(app, v);
  custodyRoutes(app, v);
  eventRoutes(app, v);
  documentRoutes(app, v);
  agentRoutes(app, v, authenticator);
  svidRoutes(app, v);
  authorityRoutes(app, v);
  identityRoutes(app, v);
  inventoryRoutes(app, v);
  reportRoutes(app, v);
  trustBundleRoutes(app, v);
  federationRoutes(app, v);
  crlRoutes(app, v);
  tokenRoutes(app, v, authenticator);
  projectRoutes(app, v);
  whoAmIRoutes(app, v);
  await app.ready();
  return app;
}
