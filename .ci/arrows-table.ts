/**
 * Which way the arrows run (docs/ARCHITECTURE.md, "The house"): the law that `.ci/arrows.ts` holds `src/` to.
 * What is not listed is refused.
 */

/**
 * Each folder of `src/` (or file directly in it), and what of `src/` it may import besides itself: a folder,
 * or one file where that is all it needs.
 */
export const ARROWS: ReadonlyMap<string, readonly string[]> = new Map([
  ["errors.ts", []],
  ["log.ts", []],
  ["in-toto-attestation", []],
  ["oci", ["errors.ts", "in-toto-attestation"]],
  ["der", []],
  ["x509", ["in-toto-attestation", "der"]],
  ["create-once.ts", ["errors.ts"]],
  ["directory-lock.ts", ["errors.ts"]],
  ["replace-file.ts", ["create-once.ts"]],
  ["fair-queue.ts", []],
  ["fair-shares.ts", []],
  ["private-key.ts", []],
  ["key-file.ts", ["errors.ts", "create-once.ts", "replace-file.ts", "private-key.ts"]],
  ["utc-time.ts", []],
  ["yaml", ["in-toto-attestation"]],
  ["outbound", ["errors.ts"]],
  ["config", ["errors.ts", "yaml", "outbound/rules.ts", "in-toto-attestation/types.ts"]],
  ["tlog", ["errors.ts"]],
  ["trust", ["errors.ts", "in-toto-attestation", "der", "x509", "outbound"]],
  ["verify", ["errors.ts", "in-toto-attestation", "der", "x509", "tlog", "trust"]],
  ["discovery", ["errors.ts", "in-toto-attestation", "oci", "outbound", "verify"]],
  [
    "identity",
    ["errors.ts", "create-once.ts", "private-key.ts", "key-file.ts", "in-toto-attestation", "der", "x509"],
  ],
  [
    "policy",
    [
      "errors.ts",
      "utc-time.ts",
      "yaml",
      "in-toto-attestation",
      "verify/verified-attestation.ts",
      "verify/findings.ts",
      "identity/agent-id.ts",
      "identity/issuer-keys.ts",
      "identity/project-name.ts",
      "identity/spiffe-id.ts",
      "identity/trust-bundle.ts",
    ],
  ],
  ["policy-files.ts", ["policy"]],
  [
    "custody",
    [
      "errors.ts",
      "fair-queue.ts",
      "create-once.ts",
      "private-key.ts",
      "key-file.ts",
      "in-toto-attestation",
      "oci",
      "tlog",
      "trust",
      "verify",
      "identity/spiffe-id.ts",
      "policy",
    ],
  ],
  ["decisions", ["errors.ts", "in-toto-attestation", "policy", "custody"]],
  // Run by a second party: it knows logs in general, and nothing of what this one's entries say.
  [
    "witness",
    ["errors.ts", "create-once.ts", "directory-lock.ts", "private-key.ts", "tlog", "custody/acknowledged.ts"],
  ],
  [
    "db",
    [
      "errors.ts",
      "directory-lock.ts",
      "in-toto-attestation",
      "identity/project-name.ts",
      "tlog",
      "policy",
      "custody",
      "decisions",
    ],
  ],
  [
    "services",
    [
      "errors.ts",
      "fair-queue.ts",
      "log.ts",
      "config",
      "create-once.ts",
      "directory-lock.ts",
      "replace-file.ts",
      "private-key.ts",
      "key-file.ts",
      "utc-time.ts",
      "policy-files.ts",
      "yaml",
      "outbound",
      "discovery",
      "in-toto-attestation",
      "oci",
      "tlog",
      "trust",
      "verify",
      "policy",
      "custody",
      "decisions",
      "identity",
      "x509/pem.ts",
      "db",
      "client/rekor-search.ts",
    ],
  ],
  [
    "http",
    [
      "errors.ts",
      "fair-shares.ts",
      "log.ts",
      "config",
      "yaml",
      "in-toto-attestation",
      "oci",
      "policy",
      "custody",
      "services",
    ],
  ],
  // A summary of custody has one description, for those who make it and those who are sent it.
  ["client", ["errors.ts", "in-toto-attestation", "custody/custody-summary.ts"]],
  // Follows a log from outside: it reads policies' patterns, and believes no database.
  [
    "monitor",
    [
      "errors.ts",
      "create-once.ts",
      "directory-lock.ts",
      "replace-file.ts",
      "in-toto-attestation",
      "tlog",
      "policy/glob.ts",
      "custody",
      "client/api-error.ts",
    ],
  ],
  // The node agent holds no policy and no database: it knows the kernel, identities and the server's API, and reads
  // policies' patterns of what it is to attest.
  [
    "workload",
    [
      "errors.ts",
      "in-toto-attestation",
      "der",
      "x509",
      "identity",
      "policy/glob.ts",
      "policy/file-pattern.ts",
      "client",
    ],
  ],
  // Asked by a cluster's API server, it asks ours: no policy and no database are here either.
  ["admission", ["errors.ts", "in-toto-attestation", "yaml", "client"]],
  // Of the database the CLI needs only to migrate it and, by a service, to check it: both are done where no server runs,
  // and a check that asked the server would believe it.
  [
    "cli",
    [
      "errors.ts",
      "admission",
      "discovery",
      "outbound/rules.ts",
      "config",
      "policy-files.ts",
      "yaml",
      "in-toto-attestation",
      "oci",
      "tlog",
      "trust",
      "verify",
      "policy",
      "custody",
      "client",
      "monitor",
      "witness",
      "workload",
      "identity/inspect-svid.ts",
      "db/connection.ts",
      "services/doctor/examine.ts",
      "services/doctor/finding.ts",
      "services/fsck.ts",
      "services/fsck-state.ts",
      "services/fsck-walk.ts",
    ],
  ],
  // The command line by another door: what a workflow's step does, a shell could.
  ["action", ["in-toto-attestation", "client", "cli"]],
]);

/** Each npm package (or whole scope), and the folders that may import it. */
export const PACKAGES: ReadonlyMap<string, readonly string[]> = new Map([
  ["@bufbuild/protobuf", ["workload"]],
  ["@connectrpc/connect", ["workload"]],
  ["@connectrpc/connect-node", ["workload"]],
  ["@electric-sql/pglite", ["db"]],
  ["@fastify/rate-limit", ["http"]],
  ["@fastify/swagger", ["http"]],
  ["@fastify/type-provider-typebox", ["http"]],
  ["@fastify/under-pressure", ["http"]],
  ["@marcbachmann/cel-js", ["policy"]],
  ["@noble/curves", ["verify"]],
  ["@sigstore/*", ["trust", "verify"]],
  ["commander", ["cli"]],
  ["fastify", ["http"]],
  ["koffi", ["workload"]],
  ["kysely", ["db"]],
  ["pg", ["db"]],
  ["tuf-js", ["trust"]],
  ["@opentelemetry/*", ["services"]],
  ["prom-client", ["services"]],
  ["typebox", ["http"]],
  ["yaml", ["config", "policy", "yaml"]],
]);

/** What one folder alone may name, because to hold it is to be believed. */
export const RESERVED_NAMES: ReadonlyMap<string, string> = new Map([
  ["sealVerified", "verify"],
  ["evaluateStated", "policy"],
]);

/** Written by a generator, which says so at their head: nobody reads them, so they may be long. */
export const GENERATED: readonly string[] = [
  "src/workload/workload_pb.ts",
  "src/workload/attestors/proto/containers_pb.ts",
  "src/workload/attestors/proto/content_pb.ts",
  "src/workload/attestors/proto/cri_pb.ts",
  "src/workload/attestors/proto/images_pb.ts",
  "src/workload/attestors/proto/snapshots_pb.ts",
  "src/workload/attestors/proto/tasks_pb.ts",
  "src/workload/envoy/sds_pb.ts",
  "src/workload/envoy/tls_pb.ts",
  "src/workload/spire/proto/config_pb.ts",
  "src/workload/spire/proto/go_plugin_pb.ts",
  "src/workload/spire/proto/health_pb.ts",
  "src/workload/spire/proto/init_pb.ts",
  "src/workload/spire/proto/workloadattestor_pb.ts",
];

export const MAX_LINES = 300;
export const LONG_LINES = 250;
