import { VouchsafeError } from "../../errors.ts";
import { type IssuerKeys, parseIssuerKeys } from "../../identity/issuer-keys.ts";
import {
  AttestationFormatError,
  isJsonObject,
  type JsonValue,
  parseJson,
} from "../../in-toto-attestation/index.ts";
import { fetchOutbound, type OutboundAnswer } from "../../outbound/fetch-outbound.ts";
import type { OutboundRules } from "../../outbound/rules.ts";

const DOCUMENT = "/.well-known/openid-configuration";
const LIMITS = { maxBytes: 256 * 1024, maxDepth: 16 };
/** For each of the two answers, in milliseconds. */
const TIMEOUT = 5_000;

/**
 * Asks an issuer what it signs with (OpenID Connect Discovery 1.0 §4). Its document must be its own (§4.3): where it lies
 * says nothing of whose it is.
 *
 * @throws VouchsafeError `outbound-refused`, `outbound-failed`; `invalid-trust-bundle` for what is answered
 */
export async function fetchIssuerKeys(issuer: string, rules: OutboundRules): Promise<IssuerKeys> {
  const { bytes } = await ask(issuer.replace(/\/$/, "") + DOCUMENT, rules);
  const document = jsonOf(bytes);
  const { issuer: said, jwks_uri: keys } = isJsonObject(document) ? document : {};
  if (said !== issuer) throw unusable("the discovery document is of another issuer");
  if (typeof keys !== "string") throw unusable("the discovery document names no jwks_uri");
  return parseIssuerKeys((await ask(keys, rules)).bytes);
}

async function ask(url: string, rules: OutboundRules): Promise<OutboundAnswer> {
  const answer = await fetchOutbound(url, {
    rules,
    accept: "application/json",
    maxBytes: LIMITS.maxBytes,
    timeout: TIMEOUT,
  });
  if (answer.status === 200) return answer;
  throw new VouchsafeError("outbound-failed", `${answer.url.host} answers with status ${answer.status}`);
}

function jsonOf(bytes: Uint8Array): JsonValue {
  try {
    return parseJson(bytes, LIMITS);
  } catch (error) {
    if (error instanceof AttestationFormatError)
      throw unusable("the discovery document is not strict JSON", error);
    throw error;
  }
}

function unusable(what: string, cause?: unknown): VouchsafeError {
  return new VouchsafeError("invalid-trust-bundle", what, cause === undefined ? {} : { cause });
}
