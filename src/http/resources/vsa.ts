import { Type } from "typebox";
import type { Vouchsafe } from "../../services/context.ts";
import { accepts } from "../accept.ts";
import type { App } from "../app.ts";
import { answers, textOf } from "../openapi.ts";
import { named } from "../schemas.ts";

/** What verification summaries come in: a DSSE envelope, as JSON (secure-systems-lab/dsse envelope.md). */
export const ENVELOPE_TYPE = "application/vnd.dsse.envelope.v1+json";

/** Names under which programs ask for one: the envelope, what is in it, and in-toto's name of the two together. */
const SUMMARY_TYPES: ReadonlySet<string> = new Set([
  ENVELOPE_TYPE,
  "application/vnd.in-toto+json",
  "application/vnd.in-toto.vsa+dsse",
]);

/** Whether an Accept header (RFC 9110 §12.5.1) names one of them. */
export function asksForSummary(accept: string | undefined): boolean {
  // Most callers send none, or one without a vendor's type.
  if (accept === undefined || !/\/vnd\./i.test(accept)) return false;
  return accepts(accept, SUMMARY_TYPES);
}

export const Envelope = named(
  "Envelope",
  Type.Object(
    {
      payload: Type.String({ description: "base64 of an in-toto Statement" }),
      payloadType: Type.String(),
      signatures: Type.Array(Type.Object({ keyid: Type.String(), sig: Type.String() })),
    },
    { description: "A SLSA Verification Summary Attestation of an allowed decision, signed" },
  ),
);

export function vsaRoutes(app: App, v: Vouchsafe): void {
  app.get(
    "/vsa/key",
    {
      config: { access: "public" },
      schema: {
        summary:
          "The public key of verification summaries, PEM. Get it by another way than this connection, and compare",
        ...answers({ 200: textOf("text/plain", "A public key, PEM") }),
      },
    },
    async (_request, reply) => reply.type("text/plain; charset=utf-8").send(v.summaries.key.publicKey),
  );
}
