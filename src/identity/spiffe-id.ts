import { VouchsafeError } from "../errors.ts";

/** `spiffe://trust-domain/path` (SPIFFE-ID.md §2) in its one spelling. Made only by this file. */
export type SpiffeId = string & { readonly __spiffeId: unique symbol };

/** A trust domain's name, e.g. `example.org` (SPIFFE-ID.md §2.1). Made only by this file. */
export type TrustDomain = string & { readonly __trustDomain: unique symbol };

const SCHEME = "spiffe://";
/** SPIFFE-ID.md §2.3, in bytes; every character that is taken has one. */
const MAX_ID = 2048;
const MAX_TRUST_DOMAIN = 255;

const TRUST_DOMAIN = /^[a-z0-9._-]+$/;
const SEGMENT = /^[a-zA-Z0-9._-]+$/;

/**
 * Reads a SPIFFE ID strictly: what can be spelt in two ways is refused in all but one, so that comparing texts
 * compares identities. The path may be absent (a trust domain's own ID).
 *
 * Throws `VouchsafeError` (`invalid-spiffe-id`).
 */
export function parseSpiffeId(text: string): SpiffeId {
  if (text.length > MAX_ID) throw invalid(`it is longer than ${MAX_ID} bytes`);
  if (!text.startsWith(SCHEME)) throw invalid(`it does not start with ${SCHEME}`);
  const rest = text.slice(SCHEME.length);
  const slash = rest.indexOf("/");
  parseTrustDomain(slash === -1 ? rest : rest.slice(0, slash));
  if (slash !== -1) assertPath(rest.slice(slash));
  return text as SpiffeId;
}

/** Throws `VouchsafeError` (`invalid-spiffe-id`). */
export function parseTrustDomain(text: string): TrustDomain {
  if (text.length > MAX_TRUST_DOMAIN)
    throw invalid(`its trust domain is longer than ${MAX_TRUST_DOMAIN} bytes`);
  if (!TRUST_DOMAIN.test(text)) {
    throw invalid("its trust domain is not lower-case letters, digits, dots, dashes and underscores");
  }
  return text as TrustDomain;
}

/** The ID of this path, which is empty or starts with a slash. Throws `VouchsafeError` (`invalid-spiffe-id`). */
export function spiffeId(trustDomain: TrustDomain, path: string): SpiffeId {
  if (path !== "") assertPath(path);
  return parseSpiffeId(`${SCHEME}${trustDomain}${path}`);
}

export function trustDomainOf(id: SpiffeId): TrustDomain {
  const rest = id.slice(SCHEME.length);
  const slash = rest.indexOf("/");
  return (slash === -1 ? rest : rest.slice(0, slash)) as TrustDomain;
}

/** Empty, or from its first slash on. */
export function pathOf(id: SpiffeId): string {
  return id.slice(SCHEME.length + trustDomainOf(id).length);
}

/** SPIFFE-ID.md §2.2: a percent sign is in no segment, so nothing is ever decoded. */
function assertPath(path: string): void {
  const [before, ...segments] = path.split("/");
  if (before !== "") throw invalid("its path does not start with a slash");
  for (const segment of segments) {
    if (segment === "") throw invalid("its path has an empty segment");
    if (segment === "." || segment === "..") throw invalid("its path has a relative segment");
    if (!SEGMENT.test(segment))
      throw invalid("its path is not letters, digits, dots, dashes and underscores");
  }
}

function invalid(what: string): VouchsafeError {
  return new VouchsafeError("invalid-spiffe-id", `the SPIFFE ID is refused: ${what}`);
}
