/** Cases on which we differ from the expectation on purpose, and why. */
export const EXPLAINED: ReadonlyMap<string, string> = new Map([
  [
    "sigstore-js/verify-fixture/V3.DSSE.WITH_SIGNING_CERT.TLOG_DSSEV002",
    "Rekor v2 withdrew the entry kind dsse 0.0.2: envelopes are logged as hashedrekord " +
      "0.0.2. The fixture was made by an early build; another corpus case of this kind expects the refusal.",
  ],
  [
    "sigstore-js/verify-fixture/V3.MESSAGE_SIGNATURE.WITH_SIGNING_CERT",
    "Its timestamp's signingCertificateV2 holds the hash of another certificate than the fixture's trusted root does. " +
      "RFC 5035 §3 makes that the one to verify by; sigstore-js does not look.",
  ],
]);
