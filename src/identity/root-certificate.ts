import { createPublicKey, type KeyObject } from "node:crypto";
import { TAG } from "../der/reader.ts";
import { der, sequence, utf8String } from "../der/writer.ts";
import { COMMON_NAME, EXTENSION, ORGANIZATION } from "../x509/oids.ts";
import { x509Signer } from "../x509/signatures.ts";
import {
  AUTHORITY_EXTENSIONS,
  keyIdentifierOf,
  subjectKeyIdentifier,
  uriName,
} from "./certificate-extensions.ts";
import { extension, time, writeCertificate } from "./certificate-writer.ts";
import { spiffeId, type TrustDomain } from "./spiffe-id.ts";

export interface RootRequest {
  readonly trustDomain: TrustDomain;
  /** Private, on P-256 or P-384. */
  readonly key: KeyObject;
  /** By `serialFrom`. */
  readonly serial: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** For how long from now it is valid, in milliseconds. */
  readonly life: number;
}

/** Nodes whose clocks are behind take it too. */
const CLOCK_SKEW = 60 * 60 * 1000;

/** A trust domain's self-signed root (X509-SVID.md §3.2, §4), DER. */
export function writeRootCertificate({ trustDomain, key, serial, now, life }: RootRequest): Buffer {
  const signer = x509Signer(key);
  if (signer === undefined) throw new RangeError("a root's key is on P-256 or P-384");
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  const keyIdentifier = keyIdentifierOf(spki);
  const name = sequence(
    attribute(ORGANIZATION, "Vouchsafe"),
    // Tells two roots of one trust domain apart; a trust domain's name may be longer than a common name.
    attribute(COMMON_NAME, Buffer.from(keyIdentifier).toString("hex")),
  );
  return writeCertificate(
    {
      serial,
      issuer: name,
      subject: name,
      notBefore: time(now - CLOCK_SKEW),
      notAfter: time(now + life),
      spki,
      extensions: [
        ...AUTHORITY_EXTENSIONS,
        subjectKeyIdentifier(keyIdentifier),
        extension(EXTENSION.subjectAltName, uriName(Buffer.from(spiffeId(trustDomain, "")))),
      ],
    },
    signer,
  );
}

function attribute(type: Uint8Array, value: string): Buffer {
  return der(TAG.set, sequence(type, utf8String(value)));
}
