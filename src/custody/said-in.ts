import { isJsonObject, type JsonObject, parseDigest } from "../in-toto-attestation/index.ts";
import type { SignerSummary, SourceSummary } from "./attestation-summary.ts";
import { digestIn, listIn, textIn, textsIn } from "./body-fields.ts";
import type { Revocable } from "./revocations.ts";

/** What the body of an `evidence.accepted` event recorded of it. Throws `malformed-leaf`. */
export function saidIn(body: JsonObject): Revocable {
  const { builder, payload } = body;
  return {
    id: digestIn(body, "attestation"),
    ...(payload !== undefined && { payload: digestIn(body, "payload") }),
    subjects: listIn(body, "subjects").map((subject) => {
      const said = isJsonObject(subject) ? subject : {};
      const digests = textsIn(said, "digests").map((digest) => parseDigest(digest));
      return { digests, ...some(said, "name") };
    }),
    signer: signerIn(body),
    times: textsIn(body, "times").map((time) => Date.parse(time)),
    source: sourceIn(body),
    builder: typeof builder === "string" ? builder : null,
  };
}

function sourceIn({ source }: JsonObject): SourceSummary {
  if (source === undefined || !isJsonObject(source)) return {};
  return { ...some(source, "repository"), ...some(source, "ref"), ...some(source, "commit") };
}

function signerIn(body: JsonObject): SignerSummary {
  const signer = isJsonObject(body.signer ?? null) ? (body.signer as JsonObject) : {};
  if (signer.case === "key")
    return { case: "key", name: textIn(signer, "name"), keyId: textIn(signer, "keyId") };
  const [issuer, identity, instance] = [
    textIn(signer, "issuer"),
    textIn(signer, "identity"),
    textIn(signer, "instance"),
  ];
  return { case: "certificate", issuer, identity, instance };
}

function some<K extends string>(body: JsonObject, name: K): Partial<Record<K, string>> {
  return body[name] === undefined ? {} : ({ [name]: textIn(body, name) } as Record<K, string>);
}
