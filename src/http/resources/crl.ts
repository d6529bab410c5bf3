import { Type } from "typebox";
import type { Vouchsafe } from "../../services/context.ts";
import { readRevocationList } from "../../services/identities/crls.ts";
import type { App } from "../app.ts";
import { answers, bytesOf } from "../openapi.ts";
import { closed } from "../schemas.ts";

/** For those who ask whether a certificate still counts. Signed, so that any transport will do. */
export function crlRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/crl/:issuer",
    {
      config: { access: "public" },
      schema: {
        summary: "The revocation list of an issuing authority, named by its key's identifier (RFC 5280), DER",
        params: closed({
          issuer: Type.String({
            pattern: "^([0-9a-f]{2}){1,64}$",
            description: "as SVIDs name it, hex",
            examples: ["5f3c"],
          }),
        }),
        ...answers({ 200: bytesOf("application/pkix-crl", "A CertificateList, DER") }),
      },
    },
    async (request, reply) => {
      const list = await readRevocationList(v, request.params.issuer);
      return reply.type("application/pkix-crl").header("cache-control", "no-cache").send(Buffer.from(list));
    },
  );
}
