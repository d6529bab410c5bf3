import { hash, type KeyObject } from "node:crypto";
import { VouchsafeError } from "../errors.ts";
import { decodeBase64, type JsonObject } from "../in-toto-attestation/index.ts";
import { agentNameOf, serverId } from "./agent-id.ts";
import { encodePart, JwsError, parseCompactJws, signEs256 } from "./jws.ts";
import { verifyJwtSignature } from "./jwt-signatures.ts";
import type { SpiffeId } from "./spiffe-id.ts";
import { trustDomainOf } from "./spiffe-id.ts";
import type { TrustBundle } from "./trust-bundle.ts";
import { validateX509Svid, type X509Svid } from "./x509-validation.ts";

/** A request as its proof binds it. */
export interface ProvenRequest {
  /** In capitals. */
  readonly method: string;
  /** Path and query, as on the request line. */
  readonly path: string;
  /** Empty for a request without one. */
  readonly body: Uint8Array;
}

/** An agent's own SVID and the P-256 key that it is of. */
export interface AgentCredential {
  readonly spiffeId: SpiffeId;
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  readonly key: KeyObject;
}

/** Which agent made a request, and which of its credentials proved it. */
export interface AgentProof {
  readonly agent: SpiffeId;
  readonly name: string;
  /** Lower-case hex of the agent certificate's serial number. */
  readonly serial: string;
  /** SubjectPublicKeyInfo of the agent's key, DER. */
  readonly spki: Uint8Array;
  readonly jti: string;
  /** Until when the jti must not be taken again, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** The `Authorization` scheme. */
export const AGENT_SCHEME = "Vouchsafe-Agent";

const TYPE = "vouchsafe-agent+jwt";
/** Seconds from `iat` to `exp`, at most. */
const MAX_LIFETIME = 60;
/** Seconds that the agent's clock may be off by, either way. */
const CLOCK_SKEW = 10;

const HEADER_MEMBERS = ["alg", "typ", "x5c"].join();
const CLAIMS = ["aud", "bsh", "exp", "htm", "htu", "iat", "jti", "sub"].join();
/** 128 random bits, base64url. */
const JTI = /^[A-Za-z0-9_-]{22}$/;

/**
 * The value of the `Authorization` header that proves one request (docs/svid.md, "The agent's proof").
 * `random` is 16 bytes that are never used twice; `now` in milliseconds since the epoch.
 */
export function makeAgentProof(
  { spiffeId, chain, key }: AgentCredential,
  request: ProvenRequest,
  random: Uint8Array,
  now: number,
): string {
  const iat = Math.floor(now / 1000);
  const header = { alg: "ES256", typ: TYPE, x5c: chain.map((der) => Buffer.from(der).toString("base64")) };
  const claims = {
    ...bindingOf(request),
    sub: spiffeId,
    aud: serverId(trustDomainOf(spiffeId)),
    iat,
    exp: iat + MAX_LIFETIME,
    jti: Buffer.from(random).toString("base64url"),
  };
  return `${AGENT_SCHEME} ${signEs256(encodePart(header), claims, key)}`;
}

/**
 * Verifies that an agent of the bundle's trust domain made exactly this request, just now. Whether the agent is
 * still known, and whether the jti was seen before, is for the caller to look up.
 *
 * Throws `VouchsafeError` (`agent-proof-invalid`).
 */
export function verifyAgentProof(
  authorization: string,
  request: ProvenRequest,
  bundle: TrustBundle,
  now: number,
): AgentProof {
  const { header, payload: claims, signed, signature } = parse(authorization);
  if (membersOf(header) !== HEADER_MEMBERS || header.typ !== TYPE || header.alg !== "ES256") {
    throw invalid("its header is not that of a proof");
  }
  const { spiffeId: agent, leaf, publicKey } = validateChain(chainOf(header), bundle, now);
  const name = agentNameOf(agent);
  if (name === undefined) throw invalid("its certificate is not an agent's");
  if (!verifyJwtSignature(publicKey, "ES256", signed, signature)) {
    throw invalid("its signature is not of its certificate's key");
  }

  if (membersOf(claims) !== CLAIMS) throw invalid("it does not have exactly the claims of a proof");
  if (claims.sub !== agent) throw invalid("its subject is not its certificate's");
  if (claims.aud !== serverId(bundle.trustDomain)) throw invalid("it is for another server");
  const { exp, jti } = claims;
  assertNow(claims, now);
  for (const [claim, value] of Object.entries(bindingOf(request))) {
    if (claims[claim] !== value) throw invalid("it is of another request");
  }
  if (typeof jti !== "string" || !JTI.test(jti)) throw invalid("its jti is not 128 bits");
  return {
    agent,
    name,
    serial: leaf.serial,
    spki: leaf.spki,
    jti,
    expiresAt: (Number(exp) + CLOCK_SKEW) * 1000,
  };
}

/** The claims that bind a proof to its request. */
function bindingOf({ method, path, body }: ProvenRequest): Readonly<Record<string, string>> {
  return { htm: method, htu: path, bsh: hash("sha256", body, "base64url") };
}

function assertNow({ iat, exp }: JsonObject, now: number): void {
  if (!isWholeNumber(iat) || !isWholeNumber(exp) || exp <= iat || exp - iat > MAX_LIFETIME) {
    throw invalid(`it is not valid for a time of at most ${MAX_LIFETIME} seconds`);
  }
  if (now < (iat - CLOCK_SKEW) * 1000) throw invalid("it is not valid yet: compare the clocks");
  if (now >= (exp + CLOCK_SKEW) * 1000) throw invalid("it has expired: compare the clocks");
}

function isWholeNumber(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function parse(authorization: string) {
  const [scheme, token, ...rest] = authorization.split(" ");
  if (scheme !== AGENT_SCHEME || token === undefined || rest.length > 0) {
    throw invalid(`it is not "${AGENT_SCHEME}" and one token`);
  }
  try {
    return parseCompactJws(token);
  } catch (error) {
    if (error instanceof JwsError) throw invalid(error.message, error);
    throw error;
  }
}

function chainOf({ x5c }: JsonObject): Uint8Array[] {
  const chain = (Array.isArray(x5c) ? x5c : []).map((text) =>
    typeof text === "string" ? decodeBase64(text) : undefined,
  );
  if (!chain.every((der) => der !== undefined)) throw invalid("its x5c is not a list of certificates");
  return chain;
}

function validateChain(chain: readonly Uint8Array[], bundle: TrustBundle, now: number): X509Svid {
  try {
    return validateX509Svid(chain, bundle, now);
  } catch (error) {
    if (error instanceof VouchsafeError) throw invalid("its certificate does not hold", error);
    throw error;
  }
}

function membersOf(object: JsonObject): string {
  return Object.keys(object).sort().join();
}

function invalid(what: string, cause?: unknown): VouchsafeError {
  const options = cause === undefined ? {} : { cause };
  return new VouchsafeError("agent-proof-invalid", `the agent's proof is refused: ${what}`, options);
}
