import type { KeyObject } from "node:crypto";
import { DerError, derChildren, expectTag, hexOf, TAG } from "../der/reader.ts";
import { oid } from "../der/writer.ts";
import { VouchsafeError } from "../errors.ts";
import { hashBytes } from "../in-toto-attestation/digest.ts";
import { type CertificateAuthority, datesOf } from "../trust/authority.ts";
import { covers, intersection, type TimeRange } from "../trust/time-range.ts";
import { type Certificate, parseCertificate } from "../x509/certificate.ts";
import { basicConstraintsOf } from "../x509/extensions.ts";
import { attributeOf, identifies, type SignedData, type SignerInfo } from "./cms.ts";
import { readDigestAlgorithm } from "./cms-algorithms.ts";
import { issuanceCheck } from "./issuance.ts";
import type { SignatureCheck } from "./signature-check.ts";
import { isForTimestamps, namesAsIssuer } from "./timestamping-certificate.ts";

/** Who signed a timestamp, if the checks hold. */
export interface TimestampSigner {
  readonly key: KeyObject;
  /** The trusted certificate: the signer's own, or its issuer's. */
  readonly authority: Certificate;
  /** Who runs the authority, where the trust snapshot says so. */
  readonly operator: string | undefined;
  readonly checks: readonly SignatureCheck[];
}

/** Somebody whom the token may mean. */
interface Candidate extends TimestampSigner {
  readonly certificate: Certificate;
  /** When the authority may be believed, the candidate's own dates included. */
  readonly validFor: TimeRange;
}

const MAX_EMBEDDED = 16;

/** Signers of one token that are tried: honest tokens fit one, or two while an authority changes its key and not its name. */
const MAX_SIGNERS = 4;

/**
 * Finds the signer's certificate. Where an authority's chain begins with one that signs timestamps, it is that one
 * and no other. Else it is the certificate in the token that the signer names and a certificate of the chain issued.
 * Whatever else the token holds is passed over: nothing signs that list, honest tokens carry their chain in it, and
 * only trusted certificates decide who is believed. Several may fit by their names: which of them it is, signatures say.
 *
 * Never none. Throws `VouchsafeError` (`time-unverified`) or `DerError`.
 */
export function findTimestampSigners(
  token: SignedData,
  time: number,
  authorities: readonly CertificateAuthority[],
): readonly TimestampSigner[] {
  const candidates = candidatesFor(token, authorities).flatMap((one) =>
    readable(() => [{ one, unfit: unfitness(one, token, time) }]),
  );
  const signers = candidates.filter(({ unfit }) => unfit === undefined).slice(0, MAX_SIGNERS);
  if (signers.length > 0) return signers.map(({ one }) => one);
  const reason = candidates.at(-1)?.unfit ?? "no trusted authority signed it";
  throw new VouchsafeError("time-unverified", `the timestamp is refused: ${reason}`);
}

/** Why it cannot have signed the token; undefined where only a signature can tell. */
function unfitness({ certificate, validFor }: Candidate, { signer }: SignedData, time: number) {
  if (!covers(validFor, time)) return "its authority was not valid at its time";
  if (!isForTimestamps(certificate)) return "its signer's certificate is not for timestamps";
  return isNamedBy(signer, certificate) ? undefined : "its signer means another certificate";
}

function candidatesFor(token: SignedData, authorities: readonly CertificateAuthority[]): Candidate[] {
  if (token.certificates.length > MAX_EMBEDDED) throw new DerError("it holds too many certificates");
  let embedded: readonly Certificate[] | undefined;
  return authorities.flatMap(({ chain, operator }) => {
    const [first] = chain;
    if (first === undefined) return [];
    if (!basicConstraintsOf(first.certificate).ca) {
      const { certificate, validFor } = first;
      const { publicKey: key } = certificate;
      if (key === undefined || !identifies(token.signer, certificate)) return [];
      return [{ certificate, key, authority: certificate, operator, checks: [], validFor }];
    }
    embedded ??= embeddedSigners(token);
    return embedded.flatMap((certificate) =>
      readable(() =>
        chain.flatMap((authority) => {
          const signer = issuedBy(authority.certificate, authority.validFor, certificate);
          return signer === undefined ? [] : [{ ...signer, operator }];
        }),
      ),
    );
  });
}

/** The certificates in the token that its signer may mean. */
function embeddedSigners({ certificates, signer }: SignedData): Certificate[] {
  return certificates.flatMap((der) =>
    readable(() => {
      const certificate = parseCertificate(der);
      return identifies(signer, certificate) ? [certificate] : [];
    }),
  );
}

/** What is read of one certificate, and nothing where it cannot be read: anybody may have put it there. */
function readable<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError) return [];
    throw error;
  }
}

/** The certificate as one that this authority issued, if the check holds; undefined where it cannot have. */
function issuedBy(
  authority: Certificate,
  validFor: TimeRange,
  certificate: Certificate,
): Omit<Candidate, "operator"> | undefined {
  const { publicKey: key } = certificate;
  const check = issuanceCheck(certificate, authority);
  if (!key || !check || !namesAsIssuer(certificate, authority)) return undefined;
  return {
    certificate,
    key,
    authority,
    checks: [check],
    validFor: intersection(validFor, datesOf(certificate)),
  };
}

/** signing-certificate (RFC 2634 §5.4) and signing-certificate-v2 (RFC 5035 §3). */
const SIGNING_CERTIFICATE = hexOf(oid("1.2.840.113549.1.9.16.2.12"));
const SIGNING_CERTIFICATE_V2 = hexOf(oid("1.2.840.113549.1.9.16.2.47"));

/**
 * Whether what the signer says of its own certificate is true of this one. RFC 3161 asks for either attribute. A
 * signer that has neither is still known by a trusted certificate, so that is no reason to refuse.
 */
function isNamedBy(signer: SignerInfo, certificate: Certificate): boolean {
  return [SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2].every((type) => {
    const attribute = attributeOf(signer, type);
    if (attribute === undefined) return true;
    // SEQUENCE { certs, policies }: the first of the certs is the signer's, the others are its issuers'.
    const [certs] = derChildren(expectTag(attribute, TAG.sequence).content);
    const [own] = derChildren(expectTag(certs, TAG.sequence).content);
    const members = derChildren(expectTag(own, TAG.sequence).content);
    const isVersion2 = type === SIGNING_CERTIFICATE_V2;
    const algorithm = isVersion2 && members[0]?.tag === TAG.sequence ? members.shift() : undefined;
    // Version 1 knows SHA-1 alone. It adds nothing to the trust in the certificate, and cannot take from it.
    const name = algorithm ? readDigestAlgorithm(algorithm) : isVersion2 ? "sha256" : "sha1";
    return hashBytes(name, certificate.der).equals(expectTag(members[0], TAG.octetString).content);
  });
}
