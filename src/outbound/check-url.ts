import { lookup } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { VouchsafeError } from "../errors.ts";
import { type OutboundRules, standingOf } from "./rules.ts";

/** A URL that may be asked, and the addresses that it may be asked at: those that were judged, and no others. */
export interface CheckedUrl {
  readonly url: URL;
  readonly addresses: readonly { readonly address: string; readonly family: number }[];
}

/** Redirects to storage carry signatures in their queries. */
const MAX_URL = 8192;

/**
 * Judges where a URL leads. Its name is resolved here once, and whoever connects takes what comes out: a name that
 * answers otherwise a moment later is not asked again.
 *
 * @throws VouchsafeError `outbound-refused`, `outbound-failed` when the name cannot be resolved
 */
export async function checkUrl(url: URL, rules: OutboundRules, signal: AbortSignal): Promise<CheckedUrl> {
  if (url.href.length > MAX_URL) throw refused(url, "its URL is too long");
  if (url.protocol !== "https:" && url.protocol !== "http:") throw refused(url, "it is not asked by https");
  if (url.username !== "" || url.password !== "") throw refused(url, "its URL holds credentials");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (host.endsWith(".")) throw refused(url, "its name ends in a dot");
  const addresses = await unlessAborted(resolve(url, host), signal);
  const standing = standingOf(
    host,
    addresses.map(({ address }) => address),
    rules,
  );
  if (standing === "refused") throw refused(url, "its address is not public");
  if (standing === "public") {
    if (url.protocol !== "https:") throw refused(url, "it is not asked by https");
    const port = url.port === "" ? 443 : Number(url.port);
    if (port !== 443 && port < 1024) throw refused(url, "its port is another service's");
  }
  return { url, addresses };
}

/** Has a connection go to what was judged, whatever name it is to. */
export function lookupOf({ addresses }: CheckedUrl): LookupFunction {
  return (_host, { all }, callback) => {
    const [first] = addresses;
    if (all) callback(null, [...addresses]);
    else callback(null, first?.address ?? "", first?.family);
  };
}

/** The system's resolver cannot be told to stop: it is left behind. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  // What comes when nobody waits any more is nobody's error.
  promise.catch(() => {});
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function resolve(url: URL, host: string): Promise<CheckedUrl["addresses"]> {
  const family = isIP(host);
  if (family !== 0) return [{ address: host, family }];
  try {
    return await lookup(host, { all: true });
  } catch (cause) {
    throw new VouchsafeError("outbound-failed", `${url.host} cannot be asked: its name is not resolved`, {
      cause,
    });
  }
}

/** Says why, and no address: what a name leads to inside of this network is not the asker's to learn. */
function refused({ host }: URL, why: string): VouchsafeError {
  return new VouchsafeError("outbound-refused", `${host} is not asked: ${why}`);
}
