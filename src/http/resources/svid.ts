import { Type } from "typebox";
import { NAME } from "../../policy/documents/readers.ts";
import type { Vouchsafe } from "../../services/context.ts";
import { issueJwtSvids, issueX509Svids } from "../../services/identities/issue-svid.ts";
import type { App } from "../app.ts";
import { type Access, callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
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
} from "../schemas.ts";

const REQUESTERS: Access = ["agent", "issuer"];
/** The name of a component, behind that of the workload policy which means it. */
const COMPONENT = `^(${NAME.source.slice(1, -1)}/)?${NAME.source.slice(1, -1)}$`;
const Components = Type.Record(
  Type.String({ pattern: COMPONENT }),
  Type.Array(Digest, { minItems: 1, maxItems: 64 }),
  {
    additionalProperties: false,
    maxProperties: 64,
    description:
      "what it runs, e.g. executable or image; under POLICY/NAME what one workload policy alone means by a name",
  },
);
const Absent = Type.Optional(
  Type.Record(Type.String({ pattern: COMPONENT }), Type.String({ pattern: "^[a-z-]{1,64}$" }), {
    additionalProperties: false,
    maxProperties: 64,
    description: "why components that could be expected are not there, e.g. interpreter for executable",
  }),
);
const granted = { workload: Type.String(), spiffeId: Type.String() };
const recorded = { expiresAt: Time, receipt: Receipt };

export function svidRoutes(app: App, v: Vouchsafe): void {
  app.post(
    "/svid/x509",
    {
      config: { costs: "write", access: REQUESTERS },
      schema: {
        summary: "X.509-SVIDs for a running workload: one of each identity that it is entitled to now",
        body: closed({
          csr: Csr,
          selectors: Selectors,
          components: Components,
          absent: Absent,
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
      config: { costs: "write", access: REQUESTERS },
      schema: {
        summary: "JWT-SVIDs for a running workload and these audiences",
        body: closed({
          audiences: Type.Array(line(2048), { minItems: 1, maxItems: 8 }),
          selectors: Selectors,
          components: Components,
          absent: Absent,
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
