import type { KeyObject } from "node:crypto";
import { DerError } from "../der/reader.ts";
import { hasCode, VouchsafeError } from "../errors.ts";
import { type Certificate, extensionOf, isIssuedBy, parseCertificate } from "../x509/certificate.ts";
import { basicConstraintsOf, keyUsageOf, uriNamesOf } from "../x509/extensions.ts";
import { understandsCriticalExtensions } from "./certificate-extensions.ts";
import type { Grounds } from "./grounds.ts";
import { parseSpiffeId, pathOf, type SpiffeId, trustDomainOf } from "./spiffe-id.ts";
import { decodeGrounds, GROUNDS } from "./svid-extension.ts";
import type { TrustBundle } from "./trust-bundle.ts";

/** An X.509-SVID and the intermediate authorities that came with it. */
export interface X509Svid {
  readonly spiffeId: SpiffeId;
  readonly leaf: Certificate;
  readonly publicKey: KeyObject;
  /** The leaf's issuer first. */
  readonly intermediates: readonly Certificate[];
  /** Absent where its authority says nothing of an artifact. */
  readonly grounds?: Grounds;
}

const MAX_CHAIN = 8;

/**
 * Reads an X.509-SVID and holds each of its certificates to what the standard asks of a leaf and of signing
 * certificates (X509-SVID.md §2–§5.2). Says nothing of times, signatures or trust.
 *
 * Throws `VouchsafeError` (`invalid-svid`).
 */
export function parseX509Svid(chain: readonly Uint8Array[]): X509Svid {
  return withOurErrors(() => {
    if (chain.length > MAX_CHAIN) throw invalid(`it has more than ${MAX_CHAIN} certificates`);
    const [leaf, ...intermediates] = chain.map(parseCertificate);
    if (leaf === undefined) throw invalid("it has no certificate");
    const spiffeId = leafId(leaf);
    const { publicKey } = leaf;
    if (publicKey === undefined) throw invalid("its key is of a kind that is not taken");
    for (const certificate of intermediates) assertAuthority(certificate);
    const extension = extensionOf(leaf, GROUNDS);
    return {
      spiffeId,
      leaf,
      publicKey,
      intermediates,
      ...(extension === undefined ? {} : { grounds: decodeGrounds(extension.value) }),
    };
  });
}

/** A chain as others send or write it, without the bundle's roots: none is a part of the path below it. */
export function withoutRoots(
  chain: readonly Uint8Array[],
  { x509Authorities }: TrustBundle,
): readonly Uint8Array[] {
  return chain.filter((der) => !x509Authorities.some((root) => Buffer.compare(root.der, der) === 0));
}

/**
 * Validates an X.509-SVID (leaf first, DER) against a trust domain's bundle at a time, in milliseconds since the
 * epoch: RFC 5280 path validation without revocation lists, each certificate issued by the next and the last by
 * an authority of the bundle.
 *
 * Throws `VouchsafeError` (`invalid-svid`).
 */
export function validateX509Svid(chain: readonly Uint8Array[], bundle: TrustBundle, now: number): X509Svid {
  const svid = parseX509Svid(chain);
  if (trustDomainOf(svid.spiffeId) !== bundle.trustDomain) throw invalid("it is of another trust domain");
  return withOurErrors(() => {
    const path = [svid.leaf, ...svid.intermediates];
    for (const [i, certificate] of path.slice(0, -1).entries()) {
      if (!isIssuedBy(certificate, path[i + 1] as Certificate)) throw invalid("its chain is broken");
    }
    const last = path.at(-1) as Certificate;
    const anchor = bundle.x509Authorities.find((authority) => isIssuedBy(last, authority));
    if (anchor === undefined) throw invalid("no authority of the trust bundle issued it");
    assertAuthority(anchor);
    for (const certificate of [...path, anchor]) assertInForce(certificate, now);
    for (const [below, authority] of [...svid.intermediates, anchor].entries()) {
      if (below > (basicConstraintsOf(authority).pathLength ?? below)) throw invalid("its chain is too long");
    }
    return svid;
  });
}

function leafId(leaf: Certificate): SpiffeId {
  const [uri, ...others] = uriNamesOf(leaf);
  if (uri === undefined || others.length > 0) throw invalid("it does not have exactly one URI name");
  const id = parseSpiffeId(uri);
  if (pathOf(id) === "") throw invalid("its SPIFFE ID has no path");
  if (basicConstraintsOf(leaf).ca) throw invalid("its leaf is an authority");
  const usage = keyUsageOf(leaf);
  if (!usage?.digitalSignature || usage.keyCertSign || usage.crlSign) {
    throw invalid("its key usage is not that of a leaf");
  }
  assertUnderstood(leaf);
  return id;
}

/** A signing certificate (X509-SVID.md §3.2): its SPIFFE ID, where it has one, names a trust domain alone. */
function assertAuthority(certificate: Certificate): void {
  if (!basicConstraintsOf(certificate).ca) throw invalid("a signing certificate is not an authority's");
  if (!keyUsageOf(certificate)?.keyCertSign) throw invalid("a signing certificate may not sign certificates");
  assertUnderstood(certificate);
}

function assertUnderstood(certificate: Certificate): void {
  if (!understandsCriticalExtensions(certificate))
    throw invalid("a critical extension is not understood here");
}

function assertInForce({ notBefore, notAfter }: Certificate, now: number): void {
  if (now < notBefore) throw invalid("a certificate is not valid yet");
  if (now > notAfter) throw invalid("a certificate has expired");
}

function withOurErrors<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError) throw invalid(error.message, error);
    if (hasCode(error, "invalid-spiffe-id")) {
      throw invalid("its URI name is not a SPIFFE ID", error);
    }
    throw error;
  }
}

function invalid(what: string, cause?: unknown): VouchsafeError {
  const options = cause === undefined ? {} : { cause };
  return new VouchsafeError("invalid-svid", `the X.509-SVID is refused: ${what}`, options);
}
