import { Type } from "typebox";
import type { Vouchsafe } from "../../services/context.ts";
import { readFederation, readWorkloadFederation } from "../../services/federation/read-federation.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import { closed, nullable, Selectors, Time } from "../schemas.ts";
import { BundleDocument } from "./trust-bundle.ts";

/** With whom this trust domain is federated: the log says with whom, their endpoints give the bundles. */
export function federationRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/federation",
    {
      config: { access: ["agent", "issuer", "auditor", "operator"] },
      schema: {
        summary:
          "The trust domains that are federated with, and their bundles; for an agent or an issuer those that its workloads may believe",
        ...answers({
          200: closed({
            federation: Type.Array(
              closed({
                trustDomain: Type.String(),
                endpoint: nullable(
                  closed({ url: Type.String(), profile: Type.Enum(["https_web", "https_spiffe"]) }),
                ),
                bundle: nullable(BundleDocument),
                fetchedAt: nullable(Time),
                problem: nullable(Type.String()),
              }),
            ),
          }),
        }),
      },
    },
    async (request) => readFederation(v, callerOf(request)),
  );

  app.post(
    "/svid/federation",
    {
      config: { access: ["agent", "issuer"] },
      schema: {
        summary: "The trust domains that a workload with these selectors may believe besides its own",
        body: closed({ selectors: Selectors }),
        ...answers({ 200: closed({ federatesWith: Type.Array(Type.String()) }) }),
      },
    },
    async (request) => readWorkloadFederation(v, callerOf(request), request.body),
  );
}
