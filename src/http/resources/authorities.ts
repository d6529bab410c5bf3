import { Type } from "typebox";
import type { Vouchsafe } from "../../services/context.ts";
import { listAuthorities, retireAuthority } from "../../services/identities/authorities.ts";
import type { App } from "../app.ts";
import { callerOf, installation } from "../authentication.ts";
import { answers } from "../openapi.ts";
import { closed, Digest, Reason, Receipt, Time } from "../schemas.ts";

const OrNever = Type.Union([Time, Type.Null()]);

const Authority = closed({
  authority: Digest,
  state: Type.Union([Type.Literal("prepared"), Type.Literal("active"), Type.Literal("retired")]),
  signsHere: Type.Boolean({ description: "whether the node that answers signs with it" }),
  notBefore: OrNever,
  notAfter: OrNever,
  preparedAt: OrNever,
  activatedAt: OrNever,
  retiredAt: OrNever,
  reason: Type.Union([Type.String(), Type.Null()], { description: "why it was retired" }),
});

export function authorityRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/authorities",
    {
      config: { access: installation(["operator", "auditor"]) },
      schema: {
        summary: "The authorities that the log has had, oldest first",
        ...answers({ 200: closed({ authorities: Type.Array(Authority) }) }),
      },
    },
    async () => listAuthorities(v),
  );

  app.post(
    "/authorities/retire",
    {
      config: { access: installation(["operator"]) },
      schema: {
        summary: "Take an authority back: out of every bundle, from now on and for ever",
        body: closed({ authority: Digest, reason: Reason }),
        ...answers({
          201: closed({
            authority: Type.String(),
            believedBy: Type.Array(Digest, {
              description:
                "others of the same root or key for JWT-SVIDs: until they are retired, what it signed is believed",
            }),
            receipt: Receipt,
          }),
        }),
      },
    },
    async (request, reply) => reply.code(201).send(await retireAuthority(v, callerOf(request), request.body)),
  );
}
