// What of `src/` is pure (docs/ARCHITECTURE.md, "The house"), and what that means: the law that `.ci/arrows.ts` holds it to.

/**
 * Bytes, a snapshot and a time in, a value out: no clock, randomness, files, network or database. A folder,
 * or one file of it.
 */
export const PURE: readonly string[] = [
  "in-toto-attestation",
  "oci",
  "der",
  "x509",
  "tlog",
  "identity",
  "policy",
  "yaml",
  "verify",
  "trust/authority.ts",
  "trust/members.ts",
  "trust/sigstore-instance.ts",
  "trust/snapshot.ts",
  "trust/time-range.ts",
  "trust/npm-keys.ts",
  "trust/trusted-key.ts",
  "trust/tuf-source.ts",
  "trust/x509-root.ts",
  "decisions/decide.ts",
  "decisions/ends.ts",
  "decisions/pass.ts",
  "decisions/passing.ts",
  "decisions/verification-summary.ts",
  "custody",
];

/**
 * The files of pure folders that reach outside: the authority and the log have keys that are made here and kept in files; the
 * writer waits, and a file says what it acknowledged.
 */
export const IMPURE: readonly string[] = [
  "identity/authority-files.ts",
  "custody/log-keys/log-key.ts",
  "custody/writer.ts",
  "custody/writer/acknowledged.ts",
];

/** Node's modules that pure code may import, each with the names in it that are impure. */
export const PURE_BUILTINS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["node:buffer", new Set<string>()],
  ["node:util", new Set(["log", "debuglog", "promisify"])],
  [
    "node:crypto",
    new Set(
      (
        "* default webcrypto subtle randomBytes randomFill randomFillSync randomInt randomUUID getRandomValues " +
        "generateKey generateKeySync generateKeyPair generateKeyPairSync generatePrime generatePrimeSync"
      ).split(" "),
    ),
  ],
]);

/** Names of the platform that pure code never mentions. */
export const IMPURE_NAMES: ReadonlySet<string> = new Set(
  (
    "process console fetch performance globalThis setTimeout setInterval setImmediate queueMicrotask " +
    "WebSocket XMLHttpRequest __dirname __filename"
  ).split(" "),
);
