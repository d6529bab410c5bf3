import { optional, setting } from "../setting.ts";
import { integer, issuer, list, oneOf, text, textual } from "../values.ts";

const DAY = 24 * 3_600_000;

/** The authorities that sign identities, and who believes them. Lifetimes in milliseconds. */
export const IDENTITIES = {
  trustDomain: setting(
    "VOUCHSAFE_TRUST_DOMAIN",
    "identities.trustDomain",
    textual("must be lower-case letters, digits, dots, dashes and underscores", (name) =>
      /^[a-z0-9._-]{1,255}$/.test(name),
    ),
    "vouchsafe.local",
    "the SPIFFE trust domain of the identities that are granted: choose it before the first start",
  ),
  authorityCertificates: optional(
    "VOUCHSAFE_CA_CERT",
    "identities.certificateFiles",
    list(),
    "made in the data directory",
    "PEM file of an [authority's](operations.md#the-authorities-that-sign-identities) certificate, with those above it up to the self-signed root; given together with the next two, or not at all. Several, comma-separated and file for file, while authorities overlap",
  ),
  authorityKeys: optional(
    "VOUCHSAFE_CA_KEY",
    "identities.keyFiles",
    list(),
    "made in the data directory",
    "PEM file (PKCS #8) of its key, on P-256 or P-384",
  ),
  jwtKeys: optional(
    "VOUCHSAFE_JWT_KEY",
    "identities.jwtKeyFiles",
    list(),
    "made in the data directory",
    "PEM file (PKCS #8) of the key that signs JWT-SVIDs: on P-256 (ES256), or RSA of 2048 to 4096 bits (RS256)",
  ),
  jwtAlgorithm: setting(
    "VOUCHSAFE_JWT_ALGORITHM",
    "identities.jwtAlgorithm",
    oneOf("ES256", "RS256"),
    "ES256",
    "what JWT-SVIDs are signed with by authorities that are made in the data directory from then on: `ES256` or `RS256` (see [OIDC discovery](operations.md#oidc-discovery))",
  ),
  authorityLife: setting(
    "VOUCHSAFE_AUTHORITY_LIFE",
    "identities.authorityLife",
    integer(1, 3650, DAY),
    "365",
    "days for which a root lives that is made in the data directory, 1 to 3650",
  ),
  authorityOverlap: setting(
    "VOUCHSAFE_AUTHORITY_OVERLAP",
    "identities.authorityOverlap",
    integer(300, 21_600, 1000),
    "900",
    "seconds for which an authority is in the trust bundle before it signs, 300 to 21600",
  ),
  oidcIssuer: optional(
    "VOUCHSAFE_OIDC_ISSUER",
    "identities.oidcIssuer",
    issuer,
    "none",
    "the `https` URL under which [OIDC discovery](operations.md#oidc-discovery) is reached; JWT-SVIDs then carry it as `iss`. Without a slash at its end",
  ),
  federationCaFile: optional(
    "VOUCHSAFE_FEDERATION_CA",
    "identities.federationCaFile",
    text,
    "none",
    "PEM file of certificates that are believed, besides those of Web PKI, of `https_web` bundle endpoints",
  ),
};
