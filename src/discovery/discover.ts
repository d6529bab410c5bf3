import { VouchsafeError } from "../errors.ts";
import { type Digest, sha256 } from "../in-toto-attestation/index.ts";
import type { OutboundRules } from "../outbound/rules.ts";
import { withOurErrors } from "../verify/format-errors.ts";
import { type Ask, boundedAsk } from "./ask.ts";
import type { Credentials } from "./credentials.ts";
import type { Found } from "./found.ts";
import { discoverInGithub } from "./github.ts";
import { discoverInNpm, resolveNpm } from "./npm.ts";
import { discoverInOci, resolveOci } from "./oci.ts";
import { discoverInPypi, resolvePypi } from "./pypi.ts";
import type { Reference } from "./reference.ts";

export interface DiscoveryOptions {
  /** Whom may be asked at all: what is not public must be named there. */
  readonly rules: OutboundRules;
  readonly credentials: Credentials;
  /** What one source is given, in milliseconds; 25 seconds unless it is said. */
  readonly time?: number;
}

export interface Discovered {
  /** Each once, in the order in which they were found. */
  readonly found: readonly Found[];
  /** Why there may be more; absent when the source was heard to its end. */
  readonly trouble?: VouchsafeError;
}

const MOST_PIECES = 64;
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * What one source has about a digest: manifests and evidence, nothing of which is believed. Bounded in pieces, bytes,
 * requests and time; what was found before something went wrong is given besides.
 */
export async function discover(
  digest: Digest,
  reference: Reference,
  options: DiscoveryOptions,
): Promise<Discovered> {
  const found = new Map<Digest, Found>();
  let bytes = 0;
  try {
    for await (const piece of source(digest, reference, options)) {
      const id = sha256(piece.bytes);
      if (found.has(id)) continue;
      bytes += piece.bytes.length;
      if (found.size === MOST_PIECES || bytes > MOST_BYTES)
        throw new VouchsafeError("too-many-items", "the source has more about the digest than is taken");
      found.set(id, piece);
    }
    return { found: [...found.values()] };
  } catch (error) {
    const trouble = ours(error);
    return { found: [...found.values()], trouble };
  }
}

/**
 * The digest of what a reference names now. Names move: who decides by it decides by what a registry says.
 *
 * @throws VouchsafeError `not-found`, `outbound-refused`, `outbound-failed`; `invalid-request` for a reference that names
 *   no artifact
 */
export async function resolveReference(reference: Reference, options: DiscoveryOptions): Promise<Digest> {
  const ask = boundedAsk(options.rules, options.time);
  try {
    switch (reference.case) {
      case "oci":
        return await resolveOci(reference, ask, await options.credentials(reference.host));
      case "npm":
        return await resolveNpm(reference, ask);
      case "pypi":
        return await resolvePypi(reference, ask);
      case "github":
        throw new VouchsafeError("invalid-request", "github: names where to look, and no artifact");
    }
  } catch (error) {
    throw ours(error);
  }
}

async function* source(
  digest: Digest,
  reference: Reference,
  { rules, credentials, time }: DiscoveryOptions,
): AsyncGenerator<Found> {
  const ask: Ask = boundedAsk(rules, time);
  switch (reference.case) {
    case "oci":
      return yield* discoverInOci(digest, reference, ask, await credentials(reference.host));
    case "npm":
      return yield* discoverInNpm(digest, reference, ask);
    case "pypi":
      return yield* discoverInPypi(digest, reference, ask);
    case "github":
      return yield* discoverInGithub(digest, reference, ask, await credentials(reference.host));
  }
}

/** Any other error is a bug and goes on its way. */
function ours(error: unknown): VouchsafeError {
  if (error instanceof VouchsafeError) return error;
  return withOurErrors(() => {
    throw error;
  });
}
