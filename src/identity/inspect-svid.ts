import { VouchsafeError } from "../errors.ts";
import { type Digest, type JsonValue, sha256 } from "../in-toto-attestation/index.ts";
import { uriNamesOf } from "../x509/extensions.ts";
import { pemBlocks } from "../x509/pem.ts";
import { publicKeyKindOf } from "../x509/public-keys.ts";
import type { Grounds } from "./grounds.ts";
import { parseJwtSvid, validateJwtSvid } from "./jwt-svid.ts";
import { parseTrustDomain, type SpiffeId, spiffeId, type TrustDomain, trustDomainOf } from "./spiffe-id.ts";
import { parseTrustBundle, parseX509Authorities, type TrustBundle } from "./trust-bundle.ts";
import { parseX509Svid, validateX509Svid, withoutRoots } from "./x509-validation.ts";

/** An SVID as it came, in one of the forms that files have. */
export type SvidBytes =
  | { readonly kind: "x509"; readonly chain: readonly Uint8Array[] }
  | { readonly kind: "jwt"; readonly token: string };

/** What an SVID says of itself. Times in milliseconds since the epoch. */
export interface InspectedSvid {
  readonly kind: "x509" | "jwt";
  readonly spiffeId: SpiffeId;
  readonly trustDomain: TrustDomain;
  /** What names it in the log: the serial number in hex, or the `jti`; null where there is none. */
  readonly serial: string | null;
  readonly notBefore: number | null;
  readonly expiresAt: number;
  /** Of an X.509-SVID the kind of its own key; of a JWT-SVID the algorithm and the ID of its authority's. */
  readonly key: string;
  /** sha256 of the SubjectPublicKeyInfo of an X.509-SVID, as the log has it. */
  readonly keyHash: Digest | null;
  /** How many intermediate authorities came with it. */
  readonly intermediates: number;
  readonly issuer: string | null;
  readonly audiences: readonly string[];
  readonly grounds: Grounds | null;
}

const CERTIFICATE = "CERTIFICATE";
const JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** A DER SEQUENCE with a length of two bytes, as every certificate begins. */
const DER_CERTIFICATE = Buffer.of(0x30, 0x82);

/**
 * Reads a file that holds an SVID: PEM (other blocks than certificates, such as the key, are passed over), one
 * certificate in DER, or a JWT. Throws `VouchsafeError` (`invalid-svid`).
 */
export function readSvid(bytes: Uint8Array): SvidBytes {
  if (Buffer.from(bytes.subarray(0, 2)).equals(DER_CERTIFICATE)) return { kind: "x509", chain: [bytes] };
  const text = Buffer.from(bytes).toString("utf8").trim();
  if (JWT.test(text)) return { kind: "jwt", token: text };
  const certificates = (pemBlocks(text) ?? []).filter(({ label }) => label === CERTIFICATE);
  if (certificates.length > 0) return { kind: "x509", chain: certificates.map(({ bytes: der }) => der) };
  throw new VouchsafeError("invalid-svid", "it is no SVID: neither certificates in PEM or DER nor a JWT");
}

/** What it says, of which nothing is verified. Throws `VouchsafeError` (`invalid-svid`). */
export function inspectSvid(svid: SvidBytes): InspectedSvid {
  return svid.kind === "x509" ? inspectX509(svid.chain) : inspectJwt(svid.token);
}

function inspectX509(chain: readonly Uint8Array[]): InspectedSvid {
  const { spiffeId: id, leaf, intermediates, grounds } = parseX509Svid(chain);
  return {
    kind: "x509",
    spiffeId: id,
    trustDomain: trustDomainOf(id),
    serial: leaf.serial,
    notBefore: leaf.notBefore,
    expiresAt: leaf.notAfter,
    key: publicKeyKindOf(leaf.spki) ?? "unknown",
    keyHash: sha256(leaf.spki),
    intermediates: intermediates.length,
    issuer: null,
    audiences: [],
    grounds: grounds ?? null,
  };
}

function inspectJwt(token: string): InspectedSvid {
  const { spiffeId: id, audiences, expiresAt, algorithm, keyId, claims, grounds } = parseJwtSvid(token);
  return {
    kind: "jwt",
    spiffeId: id,
    trustDomain: trustDomainOf(id),
    serial: textOf(claims.jti),
    notBefore: typeof claims.iat === "number" ? claims.iat * 1000 : null,
    expiresAt,
    key: `${algorithm ?? "no algorithm"} by ${keyId ?? "no key"}`,
    keyHash: null,
    intermediates: 0,
    issuer: textOf(claims.iss),
    audiences,
    grounds: grounds ?? null,
  };
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

/**
 * Reads a file of authorities: a SPIFFE bundle document, or certificates in PEM.
 *
 * @param trustDomain whose it is; absent: the one that its certificates name
 * @throws VouchsafeError `invalid-trust-bundle`; `invalid-spiffe-id`
 */
export function readBundle(bytes: Uint8Array, trustDomain?: string): TrustBundle {
  const named = trustDomain === undefined ? undefined : parseTrustDomain(trustDomain);
  const bundle = parseBundle(bytes, named ?? parseTrustDomain("unknown"));
  if (named !== undefined) return bundle;
  // A bundle says nothing of whose it is, and a guess would let one trust domain speak for another.
  const names = new Set(bundle.x509Authorities.flatMap((authority) => uriNamesOf(authority)));
  const [only] = names;
  if (only === undefined || names.size > 1) {
    throw new VouchsafeError("invalid-trust-bundle", "the bundle does not say which trust domain it is of");
  }
  const domain = trustDomainOf(only as SpiffeId);
  if (spiffeId(parseTrustDomain(domain), "") !== only) {
    throw new VouchsafeError(
      "invalid-trust-bundle",
      "an authority of the bundle names something else than a trust domain",
    );
  }
  return { ...bundle, trustDomain: domain };
}

function parseBundle(bytes: Uint8Array, trustDomain: TrustDomain): TrustBundle {
  const text = Buffer.from(bytes).toString("utf8");
  if (!text.includes("-----BEGIN")) return parseTrustBundle(bytes, trustDomain);
  return { trustDomain, x509Authorities: parseX509Authorities(text), jwtAuthorities: new Map() };
}

/**
 * Validates an SVID by its trust domain's bundle at a time, in milliseconds since the epoch.
 *
 * @param audience of a JWT-SVID
 * @throws VouchsafeError `invalid-svid`
 */
export function verifySvid(
  svid: SvidBytes,
  bundle: TrustBundle,
  { audience, now }: { readonly audience: string | undefined; readonly now: number },
): void {
  if (svid.kind === "x509") {
    validateX509Svid(withoutRoots(svid.chain, bundle), bundle, now);
    return;
  }
  if (audience === undefined) throw new VouchsafeError("invalid-svid", "the JWT-SVID is for an audience");
  validateJwtSvid(svid.token, bundle, audience, now);
}
