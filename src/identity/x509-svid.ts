import { sequence } from "../der/writer.ts";
import { VouchsafeError } from "../errors.ts";
import type { Certificate } from "../x509/certificate.ts";
import { subjectKeyIdentifierOf } from "../x509/extensions.ts";
import { EXTENSION } from "../x509/oids.ts";
import { x509Algorithm } from "../x509/signatures.ts";
import {
  authorityKeyIdentifier,
  keyIdentifierOf,
  LEAF_EXTENSIONS,
  subjectKeyIdentifier,
  uriName,
} from "./certificate-extensions.ts";
import { createTemplates } from "./certificate-template.ts";
import {
  criticalExtension,
  extension,
  signedCertificate,
  time,
  writeUnsigned,
} from "./certificate-writer.ts";
import type { Grounds } from "./grounds.ts";
import type { Signer } from "./signer.ts";
import type { SpiffeId } from "./spiffe-id.ts";
import { encodeGrounds, GROUNDS } from "./svid-extension.ts";

export interface X509SvidRequest {
  /** SubjectPublicKeyInfo, DER: as `parseCsr` gave it. */
  readonly spki: Uint8Array;
  readonly spiffeId: SpiffeId;
  /** By `serialFrom`. */
  readonly serial: Uint8Array;
  /** Milliseconds since the epoch; written in whole seconds, rounded down. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Absent for those that no artifact grounds: agents. */
  readonly grounds?: Grounds;
}

/** What signs X.509-SVIDs: a certificate's key, on P-256 or P-384. */
export interface X509Authority {
  readonly caCertificate: Certificate;
  readonly caKey: Signer;
}

export type X509Minter = (request: X509SvidRequest) => Promise<Uint8Array>;

const EMPTY_NAME = sequence();

/**
 * Makes X.509-SVIDs, DER (X509-SVID.md). Nothing of a certificate comes from outside but its key: the name, the
 * times and the usages are the caller's and the standard's.
 *
 * Throws `configuration-invalid` for an authority whose key cannot sign; the minter refuses (`unavailable`) an
 * SVID that would outlive its authority.
 */
export function createX509Minter({ caCertificate, caKey }: X509Authority): X509Minter {
  const algorithm = x509Algorithm(caKey.publicKey);
  const keyIdentifier = subjectKeyIdentifierOf(caCertificate);
  if (algorithm === undefined || keyIdentifier === undefined) {
    throw new VouchsafeError(
      "configuration-invalid",
      "the authority's key is not on P-256 or P-384, or its certificate does not identify it",
    );
  }
  const fixed = [...LEAF_EXTENSIONS, authorityKeyIdentifier(keyIdentifier)];
  const templates = createTemplates(([serial, notBefore, notAfter, spki, subjectKey, name, grounds] = []) =>
    writeUnsigned(
      {
        serial: present(serial),
        issuer: caCertificate.subject,
        subject: EMPTY_NAME,
        notBefore: present(notBefore),
        notAfter: present(notAfter),
        spki: present(spki),
        extensions: [
          ...fixed,
          subjectKeyIdentifier(present(subjectKey)),
          // The subject is empty, so its only name must be understood (RFC 5280 §4.2.1.6).
          criticalExtension(EXTENSION.subjectAltName, uriName(present(name))),
          ...(grounds === undefined ? [] : [extension(GROUNDS, grounds)]),
        ],
      },
      algorithm,
    ),
  );
  return async ({ spki, spiffeId, serial, notBefore, notAfter, grounds }) => {
    if (notAfter > caCertificate.notAfter) {
      throw new VouchsafeError("unavailable", "the authority's certificate ends before the SVID would");
    }
    const values = [
      serial,
      time(notBefore),
      time(notAfter),
      spki,
      keyIdentifierOf(spki),
      Buffer.from(spiffeId, "latin1"),
    ];
    if (grounds !== undefined) values.push(encodeGrounds(grounds));
    const unsigned = templates.write(values);
    return signedCertificate(unsigned, algorithm, await caKey.sign(unsigned));
  };
}

function present(value: Uint8Array | undefined): Uint8Array {
  if (value === undefined) throw new TypeError("a template's values are those of an SVID");
  return value;
}

/**
 * A serial number from 16 random bytes: its first bits are made 01, so that it is positive and is written in
 * exactly these 16 bytes, whose hex names the certificate everywhere.
 */
export function serialFrom(random: Uint8Array): Uint8Array {
  const serial = Uint8Array.from(random);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}
