import { bitString, der, sequence, unsigned } from "../der/writer.ts";
import { VouchsafeError } from "../errors.ts";
import { subjectKeyIdentifierOf } from "../x509/extensions.ts";
import { EXTENSION } from "../x509/oids.ts";
import { x509Algorithm } from "../x509/signatures.ts";
import { authorityKeyIdentifier } from "./certificate-extensions.ts";
import { extension, time } from "./certificate-writer.ts";
import type { X509Authority } from "./x509-svid.ts";

/** A certificate that is taken back before its end. */
export interface RevokedCertificate {
  /** Serial number, most significant byte first. */
  readonly serial: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly revokedAt: number;
}

export interface CrlRequest {
  /** Log size that `revoked` was read at, or a newer one. */
  readonly asOf: number;
  /** Milliseconds since the epoch; written in whole seconds, rounded down. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly revoked: readonly RevokedCertificate[];
}

export type CrlSigner = (request: CrlRequest) => Promise<Uint8Array>;

const VERSION_2 = unsigned(Buffer.of(1));
/** Bits of a list's number below the log size: seconds since the epoch. */
const SECONDS_BITS = 32n;

/** Makes an authority's certificate revocation lists (RFC 5280 §5), DER. Throws `configuration-invalid` as `createX509Minter` does. */
export function createCrlSigner({ caCertificate, caKey }: X509Authority): CrlSigner {
  const algorithm = x509Algorithm(caKey.publicKey);
  const keyIdentifier = subjectKeyIdentifierOf(caCertificate);
  if (algorithm === undefined || keyIdentifier === undefined) {
    throw new VouchsafeError("configuration-invalid", "the authority's key cannot sign revocation lists");
  }
  return async ({ asOf, thisUpdate, nextUpdate, revoked }) => {
    const entries = revoked.map(({ serial, revokedAt }) => sequence(unsigned(serial), time(revokedAt)));
    const content = sequence(
      VERSION_2,
      algorithm,
      caCertificate.subject,
      time(thisUpdate),
      time(nextUpdate),
      // A list of nobody is left out (§5.1.2.6).
      ...(entries.length === 0 ? [] : [sequence(...entries)]),
      der(
        0xa0,
        sequence(
          authorityKeyIdentifier(keyIdentifier),
          extension(EXTENSION.crlNumber, unsigned(numberOf(asOf, thisUpdate))),
        ),
      ),
    );
    return sequence(content, algorithm, bitString(await caKey.sign(content)));
  };
}

/**
 * A list's number, which grows from one to the next (§5.2.3): the log size, and below it the seconds of `thisUpdate`. So a list that
 * knows of more is never the older one, whatever the clocks of the nodes that sign them say.
 */
function numberOf(asOf: number, thisUpdate: number): Uint8Array {
  const number = (BigInt(asOf) << SECONDS_BITS) | BigInt(Math.floor(thisUpdate / 1000));
  const hex = number.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
}

/** Names an issuing authority in the paths of its lists: its key's identifier, hex, as its SVIDs name it (authorityKeyIdentifier). */
export function issuerName({ caCertificate }: Pick<X509Authority, "caCertificate">): string {
  return Buffer.from(subjectKeyIdentifierOf(caCertificate) ?? []).toString("hex");
}
