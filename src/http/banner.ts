import type { Vouchsafe } from "../services/context.ts";

/** What a person reads after `npm start`: where things are, what to beware of and what to try next. */
export function banner(v: Vouchsafe, origin: string): string {
  const { config, database } = v;
  const isEmbedded = database.kind === "pglite";
  const lines = [
    "",
    `Vouchsafe listens on ${origin}`,
    `  database   ${isEmbedded ? `embedded, in ${config.dataDir}` : "Postgres (DATABASE_URL)"}`,
    `  data       ${config.dataDir} (log key, operator token)`,
    `  log        ${v.log.origin}`,
    `  log key    ${v.log.verifierKey}`,
    `  operator   token in ${v.operatorTokenFile}`,
    ...v.warnings.map((warning) => `  warning    ${warning}`),
    "",
    "Try next, in another terminal:",
    `  curl ${origin}/readyz`,
    "  npm run vouchsafe -- push FILE…            push Sigstore bundles or DSSE envelopes",
    "  npm run vouchsafe -- verify sha256:…       ask whether a digest may be trusted",
    "",
  ];
  return lines.join("\n");
}
