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
  "custody/approval-bodies.ts",
  "custody/body-fields.ts",
  "custody/body.ts",
  "custody/chain.ts",
  "custody/custody-summary.ts",
  "custody/complete.ts",
  "custody/evaluate-again.ts",
  "custody/events.ts",
  "custody/find-svid.ts",
  "custody/fsck-entries.ts",
  "custody/fsck-findings.ts",
  "custody/fsck-tree.ts",
  "custody/leaf.ts",
  "custody/listed.ts",
  "custody/log-export.ts",
  "custody/log-store.ts",
  "custody/open-event.ts",
  "custody/lines.ts",
  "custody/auditors-view.ts",
  "custody/pack-chains.ts",
  "custody/pack-checkpoint.ts",
  "custody/pack-contents.ts",
  "custody/pack-events.ts",
  "custody/pack-report.ts",
  "custody/pack.ts",
  "custody/parse-line.ts",
  "custody/parse-log-export.ts",
  "custody/parse-pack.ts",
  "custody/receipt.ts",
  "custody/references.ts",
  "custody/replay-approvals.ts",
  "custody/replay-grants.ts",
  "custody/replay-revocations.ts",
  "custody/replay.ts",
  "custody/reverify.ts",
  "custody/revocation-target.ts",
  "custody/revocations.ts",
  "custody/sequence.ts",
  "custody/summarize-custody.ts",
  "custody/summarize-evidence.ts",
  "custody/summarize-grants.ts",
  "custody/standing.ts",
  "custody/verify-log-export.ts",
  "custody/verify-pack.ts",
];

/** The files of pure folders that reach outside: the authority makes its keys and keeps them in files. */
export const IMPURE: readonly string[] = ["identity/authority-files.ts"];

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
