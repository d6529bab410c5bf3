import { VouchsafeError } from "./errors.ts";
import { type OutboundRules, readOutboundRules } from "./outbound/rules.ts";

/** How one node is set up. Times in milliseconds, sizes in bytes. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** Postgres for the application's role; absent: the embedded database in `dataDir`, for evaluation only. */
  readonly databaseUrl: string | undefined;
  /** Postgres for the role that owns the tables; absent: `databaseUrl` migrates too. */
  readonly migrateDatabaseUrl: string | undefined;
  readonly requirePostgres: boolean;
  readonly dataDir: string;
  /** The keys that sign the log; none named: made in `dataDir`. Nodes that share a database share them. */
  readonly logKeyFiles: readonly string[];
  /** The log's key, `name+hash`, that is to sign no more. */
  readonly retiresLogKey: string | undefined;
  /** The name under which all SPIFFE IDs are, e.g. `example.org`. */
  readonly trustDomain: string;
  /** Where the keys are that SVIDs are signed with, oldest first; none: made in `dataDir`. */
  readonly authorityFiles: readonly {
    readonly certificates: string;
    readonly key: string;
    readonly jwtKey: string;
  }[];
  /** How long a root lives that is made in `dataDir`. */
  readonly authorityLife: number;
  /** What JWT-SVIDs are signed with by authorities that are made here. */
  readonly jwtAlgorithm: "ES256" | "RS256";
  /** How long an authority is in the trust bundle before it signs. */
  readonly authorityOverlap: number;
  /** Holds the passphrase of private keys; absent: those that are made are plain. */
  readonly keyPassphraseFile: string | undefined;
  /** The URL under which OIDC discovery is served, `iss` of JWT-SVIDs; absent: they have none. */
  readonly oidcIssuer: string | undefined;
  /** PEM certificates believed, besides those of Web PKI, of the bundle endpoints of other trust domains. */
  readonly federationCaFile: string | undefined;
  /** Where the trust bundle is served by TLS as `https_spiffe` has it; absent: nowhere. */
  readonly bundleEndpointPort: number | undefined;
  /** The log's name in its checkpoints (C2SP tlog-checkpoint: origin). */
  readonly origin: string;
  /** What verification summaries are signed with, PKCS #8 PEM; absent: made in `dataDir`. */
  readonly summaryKeyFile: string | undefined;
  /** A witness policy (C2SP tlog-policy): who cosigns the log, and which of them are enough; absent: nobody. */
  readonly witnessesFile: string | undefined;
  /** URI under which this verifier signs summaries, for ever; nodes that share a database share it. */
  readonly verifierId: string;
  /** How long a summary counts at most. */
  readonly summaryLifetime: number;
  readonly policiesDir: string;
  /** When the policy directory is read again: on SIGHUP, or also whenever it has changed. */
  readonly policiesReload: "signal" | "watch";
  /** A whole trust document that the first start activates, instead of one made from the files below. */
  readonly trustFile: string | undefined;
  readonly trustedRoots: readonly string[];
  readonly keys: readonly string[];
  readonly tuf: "auto" | "off";
  /** A Rekor log to search for the entries about envelopes that came without; absent: none is asked. */
  readonly rekorUrl: string | undefined;
  /** Whether @sigstore/verify is asked about each Sigstore bundle too, and must agree. */
  readonly secondOpinion: "off" | "report" | "require";
  /** What may be asked that is named by others and is not public. */
  readonly outbound: OutboundRules;
  readonly maxBody: number;
  readonly maxStaleness: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
const MIB = 1024 * 1024;
const DAY = 24 * 3_600_000;
/** Each adds a line to every checkpoint; a rotation needs two. */
const MAX_LOG_KEYS = 8;

/**
 * Reads the configuration from environment variables.
 *
 * @throws VouchsafeError `configuration-invalid`, naming every mistake at once
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const mistakes: string[] = [];
  const text = (name: string) => env[name] || undefined;

  const list = (name: string) => (text(name) ?? "").split(",").filter((item) => item !== "");

  function integer(name: string, fallback: number, min: number, max: number): number {
    const value = text(name) ?? String(fallback);
    if (/^(0|[1-9][0-9]{0,14})$/.test(value) && Number(value) >= min && Number(value) <= max)
      return Number(value);
    mistakes.push(`${name} must be a whole number from ${min} to ${max}`);
    return fallback;
  }
  function optionalPort(name: string): number | undefined {
    return text(name) === undefined ? undefined : integer(name, 0, 0, 65_535);
  }
  function oneOf<const T extends string>(name: string, fallback: T, choices: readonly T[]): T {
    const value = text(name) ?? fallback;
    const choice = choices.find((c) => c === value);
    if (choice === undefined) mistakes.push(`${name} must be one of ${choices.join(", ")}`);
    return choice ?? fallback;
  }
  function postgresUrl(name: string): string | undefined {
    const value = text(name);
    if (value !== undefined && !/^postgres(ql)?:\/\//.test(value))
      mistakes.push(`${name} must start with postgres://`);
    return value;
  }
  function httpUrl(name: string): string | undefined {
    const value = text(name);
    if (value !== undefined && !/^https?:$/.test(URL.parse(value)?.protocol ?? ""))
      mistakes.push(`${name} must be an http:// or https:// URL`);
    return value;
  }
  /** OpenID Connect Discovery 1.0 §4.1: what follows it is put at its end. */
  function issuer(name: string): string | undefined {
    const value = text(name);
    if (
      value !== undefined &&
      !(value.length <= 512 && /^https:\/\/[^/?#@]+(\/[^?#]*[^/?#])?$/.test(value) && URL.canParse(value))
    )
      mistakes.push(
        `${name} must be an https:// URL without query and fragment, and without a slash at its end`,
      );
    return value;
  }
  function authorityFiles(): Config["authorityFiles"] {
    const chains = list("VOUCHSAFE_CA_CERT");
    const keys = list("VOUCHSAFE_CA_KEY");
    const jwtKeys = list("VOUCHSAFE_JWT_KEY");
    const files = chains.flatMap((certificates, i) => {
      const [key, jwtKey] = [keys[i], jwtKeys[i]];
      return key === undefined || jwtKey === undefined ? [] : { certificates, key, jwtKey };
    });
    if ([chains, keys, jwtKeys].some(({ length }) => length !== files.length))
      mistakes.push("VOUCHSAFE_CA_CERT, VOUCHSAFE_CA_KEY and VOUCHSAFE_JWT_KEY go together, file for file");
    return files;
  }

  function outboundRules(): OutboundRules {
    const { rules, refused } = readOutboundRules(list("VOUCHSAFE_OUTBOUND_PRIVATE"));
    if (refused.length > 0)
      mistakes.push(
        "VOUCHSAFE_OUTBOUND_PRIVATE must name hosts without scheme and port, addresses or CIDR blocks",
      );
    return rules;
  }

  const origin = text("VOUCHSAFE_ORIGIN") ?? "vouchsafe.local/log";

  const config: Config = {
    host: text("HOST") ?? "127.0.0.1",
    port: integer("PORT", 8080, 0, 65_535),
    databaseUrl: postgresUrl("DATABASE_URL"),
    migrateDatabaseUrl: postgresUrl("MIGRATE_DATABASE_URL"),
    requirePostgres: oneOf("VOUCHSAFE_REQUIRE_POSTGRES", "0", ["0", "1"]) === "1",
    dataDir: text("VOUCHSAFE_DATA_DIR") ?? ".vouchsafe",
    logKeyFiles: list("VOUCHSAFE_LOG_KEY_FILE"),
    retiresLogKey: text("VOUCHSAFE_RETIRE_LOG_KEY"),
    origin,
    summaryKeyFile: text("VOUCHSAFE_VSA_KEY"),
    witnessesFile: text("VOUCHSAFE_WITNESSES"),
    verifierId: text("VOUCHSAFE_VERIFIER_ID") ?? `https://${origin}`,
    summaryLifetime: integer("VOUCHSAFE_VSA_LIFETIME", 600, 10, 86_400) * 1000,
    trustDomain: text("VOUCHSAFE_TRUST_DOMAIN") ?? "vouchsafe.local",
    authorityFiles: authorityFiles(),
    authorityLife: integer("VOUCHSAFE_AUTHORITY_LIFE", 365, 1, 3650) * DAY,
    jwtAlgorithm: oneOf("VOUCHSAFE_JWT_ALGORITHM", "ES256", ["ES256", "RS256"]),
    authorityOverlap: integer("VOUCHSAFE_AUTHORITY_OVERLAP", 900, 300, 21_600) * 1000,
    keyPassphraseFile: text("VOUCHSAFE_KEY_PASSPHRASE_FILE"),
    oidcIssuer: issuer("VOUCHSAFE_OIDC_ISSUER"),
    federationCaFile: text("VOUCHSAFE_FEDERATION_CA"),
    bundleEndpointPort: optionalPort("VOUCHSAFE_BUNDLE_ENDPOINT_PORT"),
    policiesDir: text("VOUCHSAFE_POLICIES") ?? "policies",
    policiesReload: oneOf("VOUCHSAFE_POLICIES_RELOAD", "signal", ["signal", "watch"]),
    trustFile: text("VOUCHSAFE_TRUST"),
    trustedRoots: list("VOUCHSAFE_TRUSTED_ROOT"),
    keys: list("VOUCHSAFE_KEYS"),
    tuf: oneOf("VOUCHSAFE_TUF", "auto", ["auto", "off"]),
    rekorUrl: httpUrl("VOUCHSAFE_REKOR_URL"),
    secondOpinion: oneOf("SECOND_OPINION", "off", ["off", "report", "require"]),
    outbound: outboundRules(),
    maxBody: integer("VOUCHSAFE_MAX_BODY", 16 * MIB, 1024, 256 * MIB),
    maxStaleness: integer("VOUCHSAFE_MAX_STALENESS", 30, 1, 3600) * 1000,
    logLevel: oneOf("LOG_LEVEL", "info", LOG_LEVELS),
  };

  if (config.migrateDatabaseUrl !== undefined && config.databaseUrl === undefined) {
    mistakes.push("MIGRATE_DATABASE_URL needs DATABASE_URL beside it");
  }
  if (config.requirePostgres && config.databaseUrl === undefined) {
    mistakes.push(
      "DATABASE_URL is needed here: the embedded database never fsyncs and is for evaluation only",
    );
  }
  if (config.trustFile !== undefined && config.trustedRoots.length + config.keys.length > 0)
    mistakes.push(
      "VOUCHSAFE_TRUST holds all of the trust: VOUCHSAFE_TRUSTED_ROOT and VOUCHSAFE_KEYS are not taken beside it",
    );
  if (!/^[^\s+]{1,200}$/.test(config.origin))
    mistakes.push("VOUCHSAFE_ORIGIN must hold neither spaces nor +");
  if (!isIdentifier(config.verifierId))
    mistakes.push(
      "VOUCHSAFE_VERIFIER_ID must be a URI whose scheme and host are in lower case, without query and fragment; by default it is https:// and VOUCHSAFE_ORIGIN",
    );
  if (config.logKeyFiles.length > MAX_LOG_KEYS)
    mistakes.push(`VOUCHSAFE_LOG_KEY_FILE names at most ${MAX_LOG_KEYS} files`);
  if (!/^[a-z0-9._-]{1,255}$/.test(config.trustDomain))
    mistakes.push("VOUCHSAFE_TRUST_DOMAIN must be lower-case letters, digits, dots, dashes and underscores");
  if (mistakes.length > 0) throw new VouchsafeError("configuration-invalid", mistakes.join("; "));
  return config;
}

/** A TypeURI (in-toto/attestation spec/v1/field_types.md) to which the paths of policies can be added. */
function isIdentifier(uri: string): boolean {
  const [, authority = ""] = /^[a-z][a-z0-9+.-]*:\/\/([^/]*)/.exec(uri) ?? [];
  const isLower = authority === authority.toLowerCase();
  return (
    isLower && /^[a-z][a-z0-9+.-]*:[A-Za-z0-9._~:/@!$&'()*,;=%-]{1,1000}$/.test(uri) && URL.canParse(uri)
  );
}
