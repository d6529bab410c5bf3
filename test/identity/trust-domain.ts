import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import type { Authority } from "../../src/identity/authority.ts";
import { authorityId, bundleOf } from "../../src/identity/believed-authorities.ts";
import type { Grounds } from "../../src/identity/grounds.ts";
import { jwkThumbprint } from "../../src/identity/jwk.ts";
import { writeRootCertificate } from "../../src/identity/root-certificate.ts";
import { keySigner, type Signer } from "../../src/identity/signer.ts";
import { parseTrustDomain } from "../../src/identity/spiffe-id.ts";
import type { TrustBundle } from "../../src/identity/trust-bundle.ts";
import { serialFrom } from "../../src/identity/x509-svid.ts";
import { sha256 } from "../../src/in-toto-attestation/index.ts";
import { parseCertificate } from "../../src/x509/certificate.ts";

export const MINUTE = 60_000;
const TEN_YEARS = 10 * 365 * 24 * 60 * MINUTE;

/** An authority with new keys, in no files, its keys themselves, and a bundle of it alone. */
export interface TestAuthority extends Authority {
  readonly keys: { readonly ca: KeyObject; readonly jwt: KeyObject };
  readonly bundle: TrustBundle;
}

export function testAuthority(name: string, now: number): TestAuthority {
  const trustDomain = parseTrustDomain(name);
  const newKey = () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const keys = { ca: newKey(), jwt: newKey() };
  const serial = serialFrom(randomBytes(16));
  const caCertificate = parseCertificate(
    writeRootCertificate({ trustDomain, key: keys.ca, serial, now, life: TEN_YEARS }),
  );
  const [caKey, jwtKey] = [signerOf(keys.ca), signerOf(keys.jwt)];
  const jwtKeyId = jwkThumbprint(jwtKey.publicKey);
  return {
    id: authorityId({ trustDomain, root: caCertificate, jwtKeyId }),
    trustDomain,
    caCertificate,
    caKey,
    chain: [],
    root: caCertificate,
    from: caCertificate.notBefore,
    until: caCertificate.notAfter,
    jwtKey,
    jwtKeyId,
    keys,
    bundle: bundleOf(trustDomain, [{ root: caCertificate, jwtKeyId, jwtPublicKey: jwtKey.publicKey }]),
  };
}

/** A key on P-256 or P-384, to sign with. */
export function signerOf(key: KeyObject): Signer {
  const signer = keySigner(key);
  if (signer === undefined) throw new RangeError("a signer's key is on P-256 or P-384");
  return signer;
}

export const GROUNDS: Grounds = {
  digests: [sha256("a widget")],
  policies: ["release"],
  verdicts: [0, 127, 128, 2 ** 40],
};
