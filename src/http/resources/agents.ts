import { Type } from "typebox";
import type { Authenticator } from "../../services/access/authenticator.ts";
import { enrolAgent } from "../../services/agents/enrol-agent.ts";
import { joinAgent } from "../../services/agents/join-agent.ts";
import { renewAgent } from "../../services/agents/renew-agent.ts";
import { revokeAgent } from "../../services/agents/revoke-agent.ts";
import type { Vouchsafe } from "../../services/context.ts";
import type { App } from "../app.ts";
import { callerOf, projectOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import { CertificateChain, Csr, closed, Reason, Receipt, SpiffeId, Time, X509Bundle } from "../schemas.ts";

const AgentCredential = closed({
  spiffeId: Type.String(),
  serial: Type.String({ description: "the certificate's serial number, hex" }),
  chain: CertificateChain,
  expiresAt: Time,
  bundle: X509Bundle,
  receipt: Receipt,
});

export function agentRoutes(app: App, v: Vouchsafe, authenticator: Authenticator): void {
  app.post(
    "/agents",
    {
      config: { access: ["agent"] },
      schema: {
        summary: "Join: an agent's first certificate, for a join token that is used up by it",
        body: closed({ csr: Csr }),
        ...answers({ 201: AgentCredential }),
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const joined = await joinAgent(v, caller, request.body);
      authenticator.forget(caller.token);
      return reply.code(201).send(joined);
    },
  );

  app.post(
    "/agents/enroll",
    {
      config: { access: "public" },
      schema: {
        summary: "Join by a rule of the active policies: an agent's first certificate, without a join token",
        body: closed({
          csr: Csr,
          kubernetes: Type.Optional(
            Type.String({
              maxLength: 16_384,
              description: "a projected service-account token of the agent's pod, used up by it",
            }),
          ),
          svid: Type.Optional(
            Type.String({
              maxLength: 16_384,
              description: "in place of it, a proof by an SVID, used up by it",
            }),
          ),
        }),
        ...answers({ 201: AgentCredential }),
      },
    },
    async (request, reply) => reply.code(201).send(await enrolAgent(v, request.body, projectOf(request))),
  );

  app.post(
    "/agents/renew",
    {
      config: { access: ["agent"] },
      schema: {
        summary: "An agent's next certificate, for its proof of the one that it has",
        body: closed({ csr: Csr }),
        ...answers({ 201: AgentCredential }),
      },
    },
    async (request, reply) => reply.code(201).send(await renewAgent(v, callerOf(request), request.body)),
  );

  app.post(
    "/agents/revoke",
    {
      config: { access: ["operator"] },
      schema: {
        summary: "Take back all certificates of an agent, from now on and on every node",
        body: closed({ agent: SpiffeId, reason: Reason }),
        ...answers({ 201: closed({ agent: Type.String(), receipt: Receipt }) }),
      },
    },
    async (request, reply) => reply.code(201).send(await revokeAgent(v, callerOf(request), request.body)),
  );
}
