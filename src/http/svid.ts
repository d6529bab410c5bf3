import { Type } from "typebox";
import type { Vouchsafe } from "../services/context.ts";
import { issueJwtSvids, issueX509Svids } from "../services/issue-svid.ts";
import type { App } from "./app.ts";
import { type Access, callerOf } from "./authentication.ts";
import { answers } from "./openapi.ts";
import {
  CertificateChain,
  Csr,
  closed,
  Digest,
  line,
  Receipt,
  Selectors,
  SpiffeId,
  Time,
  X509Bundle,
} from "./schemas.ts";

const REQUESTERS: Access = ["agent", "issuer"];
const Digests = Type.Array(Digest, {
  minItems: 1,
  maxItems: 8,
  description: "what it runs; each must be allowed, and the first may stand in the SPIFFE ID",
});
const granted = { workload: Type.String(), spiffeId: Type.String() };
const recorded = { expiresAt: Time, receipt: Receipt };

export function svidRoutes(app: App, v: Vouchsafe): void {
  app.post(
    "/svid/x509",
    {
      config: { access: REQUESTERS },
      schema: {
        summary: "X.509-SVIDs for a running workload: one of each identity that it is entitled to now",
        body: closed({
          csr: Csr,
          selectors: Selectors,
          digests: Digests,
          renews: Type.Optional(
            Type.Array(Type.String({ pattern: "^[0-9a-f]{2,40}$" }), {
              maxItems: 256,
              description: "serial numbers of the SVIDs that the new ones take the place of",
            }),
          ),
        }),
        ...answers({
          201: closed({
            svids: Type.Array(
              closed({ ...granted, serial: Type.String(), chain: CertificateChain, ...recorded }),
            ),
            bundle: X509Bundle,
          }),
        }),
      },
    },
    async (request, reply) => reply.code(201).send(await issueX509Svids(v, callerOf(request), request.body)),
  );

  app.post(
    "/svid/jwt",
    {
      config: { access: REQUESTERS },
      schema: {
        summary: "JWT-SVIDs for a running workload and these audiences",
        body: closed({
          audiences: Type.Array(line(2048), { minItems: 1, maxItems: 8 }),
          selectors: Selectors,
          digests: Digests,
          spiffeId: Type.Optional(SpiffeId),
        }),
        ...answers({
          201: closed({ svids: Type.Array(closed({ ...granted, token: Type.String(), ...recorded })) }),
        }),
      },
    },
    async (request, reply) => reply.code(201).send(await issueJwtSvids(v, callerOf(request), request.body)),
  );
}
