import type { KeyObject } from "node:crypto";
import { VouchsafeError } from "../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue, sha256 } from "../in-toto-attestation/index.ts";
import { JwsError, parseCompactJws, readCompactJws } from "./jws.ts";
import { verifyJwtSignature } from "./jwt-signatures.ts";

/** Which pod holds a projected service-account token of Kubernetes 1.30 or newer. */
export interface ServiceAccountToken {
  /** `NAMESPACE/NAME`. */
  readonly serviceAccount: string;
  /** The pod's UID. */
  readonly pod: string;
  readonly podName: string;
  /** The name of the node that it runs on. */
  readonly node: string;
  /** sha256 of what was signed: names the token, however its signature is spelt. */
  readonly id: string;
}

/** Whose tokens are taken. */
export interface TokenIssuer {
  readonly issuer: string;
  readonly audience: string;
  /** By key ID. */
  readonly keys: ReadonlyMap<string, KeyObject>;
}

/** Longer-lived ones are not those that the kubelet renews in a pod. */
const MAX_LIFE = 24 * 60 * 60;
/** Seconds that the cluster's clock may be ahead. */
const CLOCK_SKEW = 10;
const UID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const NODE = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/** The issuer that a token says it is of: by whose keys it is to be verified, and nothing more. Undefined for no token. */
export function claimedIssuer(token: string): string | undefined {
  try {
    const { iss } = parseCompactJws(token).payload;
    return typeof iss === "string" ? iss : undefined;
  } catch (error) {
    if (error instanceof JwsError) return undefined;
    throw error;
  }
}

/**
 * Verifies a token by the cluster's keys (https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/,
 * "Bound service account tokens"): for this audience, and bound to a pod on a node. Whether the pod still runs only
 * the cluster's API server knows, which is not asked: a token counts until it ends.
 *
 * @param now milliseconds since the epoch
 *
 * Throws `VouchsafeError` (`unauthenticated`).
 */
export function verifyServiceAccountToken(
  token: string,
  { issuer, audience, keys }: TokenIssuer,
  now: number,
): ServiceAccountToken {
  const { header, payload, signed, signature } = readCompactJws(token, invalid);
  const { alg, kid } = header;
  if (header.crit !== undefined) throw invalid("it asks for an extension");
  const key = typeof kid === "string" ? keys.get(kid) : undefined;
  if (key === undefined || typeof alg !== "string") throw invalid("its key is not one of the cluster's");
  if (!verifyJwtSignature(key, alg, signed, signature)) throw invalid("its signature is not of its key");
  if (payload.iss !== issuer) throw invalid("it is of another issuer");
  if (![payload.aud].flat().includes(audience)) throw invalid("it is for another audience");
  assertNow(payload, now / 1000);

  const bound = objectIn(payload, "kubernetes.io");
  const [account, pod, node] = ["serviceaccount", "pod", "node"].map((name) => objectIn(bound, name));
  const read = {
    serviceAccount: `${textIn(bound, "namespace")}/${textIn(account, "name")}`,
    pod: textIn(pod, "uid"),
    podName: textIn(pod, "name"),
    node: textIn(node, "name"),
  };
  if (payload.sub !== `system:serviceaccount:${read.serviceAccount.replace("/", ":")}`) {
    throw invalid("its subject is not its service account");
  }
  if (!UID.test(read.pod) || !NODE.test(read.node))
    throw invalid("its pod or its node has no name of theirs");
  return { ...read, id: sha256(signed) };
}

function assertNow({ exp, nbf, iat }: JsonObject, now: number): void {
  if (!isTime(exp) || !isTime(iat) || exp <= iat || exp - iat > MAX_LIFE) {
    throw invalid(`it does not live for a time of at most ${MAX_LIFE} seconds`);
  }
  if (now >= exp) throw invalid("it has expired");
  for (const start of [iat, nbf ?? iat]) {
    if (!isTime(start) || start > now + CLOCK_SKEW) throw invalid("it is not valid yet: compare the clocks");
  }
}

function isTime(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function objectIn(claims: JsonObject | undefined, name: string): JsonObject {
  const value = claims?.[name];
  if (!isJsonObject(value))
    throw invalid(`it is bound to no ${name}: projected tokens of Kubernetes 1.30 are`);
  return value;
}

function textIn(claims: JsonObject | undefined, name: string): string {
  const value = claims?.[name];
  if (typeof value !== "string") throw invalid(`it does not say the ${name} of what it is bound to`);
  return value;
}

function invalid(what: string, cause?: unknown): VouchsafeError {
  const options = cause === undefined ? {} : { cause };
  return new VouchsafeError("unauthenticated", `the service-account token is refused: ${what}`, options);
}
