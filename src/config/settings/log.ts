import { optional, setting } from "../setting.ts";
import { integer, list, text, textual, typeUri } from "../values.ts";

/** Each adds a line to every checkpoint; a rotation needs two. */
const MAX_LOG_KEYS = 8;

/** The custody log, and what is signed of decisions. Lifetimes in milliseconds. */
export const LOG = {
  origin: setting(
    "VOUCHSAFE_ORIGIN",
    "log.origin",
    textual("must hold neither spaces nor +, and at most 200 characters", (origin) =>
      /^[^\s+]{1,200}$/.test(origin),
    ),
    "vouchsafe.local/log",
    "the log's name in its checkpoints (C2SP tlog-checkpoint), for ever: choose it before the first start; by custom the address that the log is served under, without the scheme (`vouchsafe.example.com/log`)",
  ),
  logKeyFiles: optional(
    "VOUCHSAFE_LOG_KEY_FILE",
    "log.keyFiles",
    list(MAX_LOG_KEYS),
    "`log-key.pem` in the data directory",
    "the log's Ed25519 key, PKCS #8 PEM, mode 0600; made where it is missing. Nodes that share a database share it. Several, comma-separated, while keys [overlap](operations.md#replacing-the-logs-key)",
  ),
  retiresLogKey: optional(
    "VOUCHSAFE_RETIRE_LOG_KEY",
    "log.retireKey",
    text,
    "none",
    "the log's key, as `name+hash`, that is to [sign no more](operations.md#replacing-the-logs-key)",
  ),
  witnessesFile: optional(
    "VOUCHSAFE_WITNESSES",
    "log.witnessesFile",
    text,
    "none",
    "a [witness policy](operations.md#witnesses): who cosigns the log, and how many of them are enough",
  ),
  maxStaleness: setting(
    "VOUCHSAFE_MAX_STALENESS",
    "log.maxStaleness",
    integer(1, 3600, 1000),
    "30",
    "seconds without hearing from the log after which a node denies",
  ),
  summaryKeyFile: optional(
    "VOUCHSAFE_VSA_KEY",
    "summaries.keyFile",
    text,
    "made at the first start, Ed25519",
    "PEM file (PKCS #8) of the key that signs [verification summaries](vsa.md): Ed25519, or on P-256 or P-384",
  ),
  verifierId: optional(
    "VOUCHSAFE_VERIFIER_ID",
    "summaries.verifierId",
    typeUri,
    "`https://` and the log's origin",
    "URI under which summaries are signed, for ever: choose it before the first one; nodes that share a database share it",
  ),
  summaryLifetime: setting(
    "VOUCHSAFE_VSA_LIFETIME",
    "summaries.lifetime",
    integer(10, 86_400, 1000),
    "600",
    "seconds for which a summary counts at most, 10 to 86400: the longest that a quarantine does not reach who works with it offline",
  ),
};
