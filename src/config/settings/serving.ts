import { optional, setting } from "../setting.ts";
import { flag, integer, oneOf, port, postgresUrl, text } from "../values.ts";

/** Where a node listens, and where it keeps things. */
export const SERVING = {
  host: setting(
    "HOST",
    "listen.host",
    text,
    "127.0.0.1",
    "address to listen on; the container image sets `0.0.0.0`",
  ),
  port: setting("PORT", "listen.port", port, "8080", "port to listen on; 0 takes a free one"),
  bundleEndpointPort: optional(
    "VOUCHSAFE_BUNDLE_ENDPOINT_PORT",
    "listen.bundleEndpointPort",
    port,
    "none",
    "a port on which the trust bundle is served to other trust domains by [`https_spiffe`](operations.md#federation); 0 takes a free one",
  ),
  mtlsPort: optional(
    "VOUCHSAFE_MTLS_PORT",
    "listen.mtlsPort",
    port,
    "none",
    "a port on which all routes are served by TLS to clients that may show an [X.509-SVID](access.md#by-mtls); 0 takes a free one",
  ),
  metricsPort: optional(
    "VOUCHSAFE_METRICS_PORT",
    "listen.metricsPort",
    port,
    "none",
    "a port on which `GET /metrics` serves [Prometheus](monitoring.md) and nothing else is; 0 takes a free one",
  ),
  databaseUrl: optional(
    "DATABASE_URL",
    "database.url",
    postgresUrl,
    "none: embedded",
    "`postgres://…` as the application's role",
  ),
  migrateDatabaseUrl: optional(
    "MIGRATE_DATABASE_URL",
    "database.migrateUrl",
    postgresUrl,
    "none",
    "`postgres://…` as the role that owns the tables",
  ),
  requirePostgres: setting(
    "VOUCHSAFE_REQUIRE_POSTGRES",
    "database.required",
    flag,
    "0",
    "`1` refuses the embedded database; set in the container image",
  ),
  dataDir: setting(
    "VOUCHSAFE_DATA_DIR",
    "dataDir",
    text,
    ".vouchsafe",
    "log key, the node's authorities, key of verification summaries, acknowledged tree head, operator token, TUF cache, embedded database; mode 0700",
  ),
  keyPassphraseFile: optional(
    "VOUCHSAFE_KEY_PASSPHRASE_FILE",
    "keyPassphraseFile",
    text,
    "none",
    "file whose one line, of at least 16 characters, [encrypts private keys](operations.md#keys-at-rest)",
  ),
  drainDelay: setting(
    "VOUCHSAFE_DRAIN_DELAY",
    "listen.drainDelay",
    integer(0, 300, 1000),
    "0",
    "seconds after SIGTERM for which `GET /readyz` says that the node ends while it [still answers](operations.md#stopping), so that load balancers turn away first",
  ),
  logLevel: setting(
    "LOG_LEVEL",
    "logging.level",
    oneOf("fatal", "error", "warn", "info", "debug", "trace", "silent"),
    "info",
    "`fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`",
  ),
};
