import { createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import type { Authority } from "../../src/identity/authority.ts";
import type { Grounds } from "../../src/identity/grounds.ts";
import { jwkThumbprint } from "../../src/identity/jwk.ts";
import { writeRootCertificate } from "../../src/identity/root-certificate.ts";
import { parseTrustDomain } from "../../src/identity/spiffe-id.ts";
import { serialFrom } from "../../src/identity/x509-svid.ts";
import { sha256 } from "../../src/in-toto-attestation/index.ts";
import { parseCertificate } from "../../src/x509/certificate.ts";

export const MINUTE = 60_000;

/** A trust domain's authority with new keys, in no files. */
export function testAuthority(name: string, now: number): Authority {
  const trustDomain = parseTrustDomain(name);
  const [caKey, jwtKey] = [0, 1].map(() => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey) as [
    Authority["caKey"],
    Authority["jwtKey"],
  ];
  const serial = serialFrom(randomBytes(16));
  const caCertificate = parseCertificate(writeRootCertificate({ trustDomain, key: caKey, serial, now }));
  const jwtPublicKey = createPublicKey(jwtKey);
  const jwtKeyId = jwkThumbprint(jwtPublicKey);
  return {
    trustDomain,
    caCertificate,
    caKey,
    chain: [],
    jwtKey,
    jwtKeyId,
    bundle: {
      trustDomain,
      x509Authorities: [caCertificate],
      jwtAuthorities: new Map([[jwtKeyId, jwtPublicKey]]),
      refreshHint: 300,
    },
  };
}

export const GROUNDS: Grounds = {
  digests: [sha256("a widget")],
  policies: ["release"],
  verdicts: [0, 127, 128, 2 ** 40],
};
