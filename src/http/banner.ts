import { existsSync } from "node:fs";
import { logLine } from "../log.ts";
import type { Vouchsafe } from "../services/context.ts";

/** Where the command line looks by itself. */
const DEFAULT_SERVER = "http://127.0.0.1:8080";
const DEFAULT_DATA_DIR = ".vouchsafe";

/** What a person reads after `npm start`: where things are, what to beware of and what to try next. */
export function banner(v: Vouchsafe, origin: string): string {
  const { config, database, log } = v;
  const isEmbedded = database.kind === "pglite";
  const keys = log.signers.signers.map(({ verifierKey }) => verifierKey);
  const settings = settingsFor(origin, config.dataDir);
  const lines = [
    "",
    `Vouchsafe listens on ${origin}`,
    `  database  ${isEmbedded ? `embedded, in ${config.dataDir}` : "Postgres (DATABASE_URL)"}`,
    `  log       ${log.origin}, with the key ${keys.join(" and ")}`,
    // Another node of the same database may have made it, or an operator put it away.
    ...(existsSync(v.operatorTokenFile) ? [`  operator  token in ${v.operatorTokenFile}`] : []),
    ...v.warnings.map((warning) => `  warning   ${warning}`),
    "",
    "Try next, in another terminal:",
    ...(settings.length === 0 ? [] : [`  export ${settings.join(" ")}`]),
    "  npm run vouchsafe -- push BUNDLE                         evidence about an artifact",
    "  npm run vouchsafe -- verify-digest FILE --policy NAME    may it be trusted?",
    "  npm run vouchsafe -- custody export FILE                 its chain of custody, for an auditor",
    "",
  ];
  return lines.join("\n");
}

/** The same for programs: one line, at whatever level the others are. */
export function startLine(v: Vouchsafe, origin: string): string {
  const { database, log, warnings } = v;
  return logLine("info", `Vouchsafe listens on ${origin} with ${database.kind}`, {
    origin: log.origin,
    logKeys: log.signers.signers.map(({ verifierKey }) => verifierKey),
    warnings,
  });
}

/** What the command line must be told where this server is not where it looks by itself. */
function settingsFor(origin: string, dataDir: string): string[] {
  // A server on every address is asked on this machine's own.
  const server = origin.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
  return [
    ...(server === DEFAULT_SERVER ? [] : [`VOUCHSAFE_SERVER=${server}`]),
    ...(dataDir === DEFAULT_DATA_DIR ? [] : [`VOUCHSAFE_DATA_DIR=${dataDir}`]),
  ];
}
