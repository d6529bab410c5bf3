import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { isIP } from "node:net";
import { connect, rootCertificates, type TLSSocket } from "node:tls";
import { VouchsafeError } from "../../errors.ts";
import type { SpiffeId, TrustDomain } from "../../identity/spiffe-id.ts";
import { parseTrustBundle, type TrustBundle } from "../../identity/trust-bundle.ts";
import { validateX509Svid, withoutRoots } from "../../identity/x509-validation.ts";
import { checkUrl, lookupOf } from "../../outbound/check-url.ts";
import type { OutboundRules } from "../../outbound/rules.ts";
import type { BundleEndpoint } from "../../policy/federated-trust-domain.ts";
import { readBounded } from "../../read-bounded.ts";
import { presentedChain } from "../identities/presented-chain.ts";

/** What came of asking a bundle endpoint. Sentences are ours: nothing of what it answers is quoted. */
export type FetchedBundle =
  | { readonly case: "fetched"; readonly bundle: TrustBundle }
  | { readonly case: "trouble"; readonly what: string; readonly cause?: unknown };

export interface FetchOptions {
  /** Whose bundle the endpoint is believed to have. */
  readonly trustDomain: TrustDomain;
  readonly endpoint: BundleEndpoint;
  /** By which an `https_spiffe` endpoint is authenticated; undefined: it cannot be. */
  readonly authenticatedBy: TrustBundle | undefined;
  /** Whom this installation may ask: policies of any project name endpoints. */
  readonly rules: OutboundRules;
  /** PEM certificates that are believed of an `https_web` endpoint besides those of Web PKI. */
  readonly caFile?: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly signal?: AbortSignal;
}

/** Of all of it, from the look-up of the name to the last byte, in milliseconds. */
const TIMEOUT = 10_000;
const MAX_ANSWER = 1024 * 1024;

/**
 * Fetches another trust domain's bundle (SPIFFE_Federation.md §5.2). The endpoint is a stranger's server: it is
 * authenticated before anything is asked of it, time and size of its answer are bounded, and it redirects nowhere.
 */
export async function fetchBundle(options: FetchOptions): Promise<FetchedBundle> {
  const timeout = AbortSignal.timeout(TIMEOUT);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
  let socket: TLSSocket | undefined;
  try {
    socket = await openConnection(options, signal);
    const answer = await get(socket, new URL(options.endpoint.url), signal);
    if ("what" in answer) return { case: "trouble", ...answer };
    return { case: "fetched", bundle: parseTrustBundle(answer.bytes, options.trustDomain) };
  } catch (cause) {
    if (cause instanceof VouchsafeError) return { case: "trouble", what: cause.message };
    const what = timeout.aborted ? "its endpoint did not answer in time" : unreachable(cause);
    return { case: "trouble", what, cause };
  } finally {
    socket?.destroy();
  }
}

/** A connection to whom the endpoint's profile says, and to nobody else. */
async function openConnection(options: FetchOptions, signal: AbortSignal): Promise<TLSSocket> {
  const { endpoint, caFile, rules } = options;
  const url = new URL(endpoint.url);
  const checked = await checkUrl(url, rules, signal);
  const { hostname, port } = url;
  const host = hostname.replace(/^\[|\]$/g, "");
  const isWeb = endpoint.profile.case === "https_web";
  const socket = connect({
    host,
    port: port === "" ? 443 : Number(port),
    lookup: lookupOf(checked),
    ...(isIP(host) === 0 && { servername: host }),
    ...(isWeb && caFile !== undefined && { ca: [...rootCertificates, await readFile(caFile, "utf8")] }),
    // An X.509-SVID names no host, and its roots are no system's: it is validated below, before anything is sent.
    rejectUnauthorized: isWeb,
    minVersion: "TLSv1.2",
    ALPNProtocols: ["http/1.1"],
  });
  const abort = () => socket.destroy(new Error("aborted"));
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    await once(socket, "secureConnect");
    if (endpoint.profile.case === "https_spiffe") authenticate(socket, endpoint.profile.endpointId, options);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Throws `VouchsafeError` (`invalid-svid`). */
function authenticate(
  socket: TLSSocket,
  endpointId: SpiffeId,
  { authenticatedBy, now }: Pick<FetchOptions, "authenticatedBy" | "now">,
): void {
  if (authenticatedBy === undefined) {
    throw new VouchsafeError("invalid-svid", "no bundle is known yet by which its endpoint is authenticated");
  }
  const chain = withoutRoots(presentedChain(socket), authenticatedBy);
  const { spiffeId } = validateX509Svid(chain, authenticatedBy, now);
  if (spiffeId !== endpointId)
    throw new VouchsafeError("invalid-svid", "its endpoint is of another SPIFFE ID");
}

async function get(
  socket: TLSSocket,
  { host, pathname, search }: URL,
  signal: AbortSignal,
): Promise<{ readonly bytes: Uint8Array } | { readonly what: string }> {
  const headers = { host, accept: "application/json", connection: "close", "user-agent": "vouchsafe" };
  const asked = request({ createConnection: () => socket, path: pathname + search, headers, signal });
  asked.end();
  const [response] = await once(asked, "response", { signal });
  if (response.statusCode !== 200)
    return { what: `its endpoint answered with status ${response.statusCode}` };
  const bytes = await readBounded(response, MAX_ANSWER);
  return bytes === undefined
    ? { what: `its endpoint's answer is larger than ${MAX_ANSWER} bytes` }
    : { bytes };
}

/** Codes of Node and OpenSSL say what an operator can mend: a name, a port, a certificate. */
function unreachable(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : undefined;
  return `its endpoint cannot be reached${code === undefined ? "" : ` (${code})`}`;
}
