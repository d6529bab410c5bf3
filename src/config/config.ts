import { VouchsafeError } from "../errors.ts";
import { type Environment, type ReadSettings, readSettings } from "./read.ts";
import type { Settings } from "./settings.ts";
import { typeUri } from "./values.ts";

/** How one node is set up. Times in milliseconds, sizes in bytes. */
export interface Config
  extends Omit<Settings, "authorityCertificates" | "authorityKeys" | "jwtKeys" | "verifierId"> {
  /** Where the keys are that SVIDs are signed with, oldest first; none: made in `dataDir`. */
  readonly authorityFiles: readonly {
    readonly certificates: string;
    readonly key: string;
    readonly jwtKey: string;
  }[];
  /** URI under which this verifier signs summaries. */
  readonly verifierId: string;
  /** What was given and means nothing. */
  readonly warnings: readonly string[];
}

/**
 * Reads the configuration from environment variables, and from the file that VOUCHSAFE_CONFIG names.
 *
 * @throws VouchsafeError `configuration-invalid`, naming every mistake of both at once
 */
export function readConfig(env: Environment): Config {
  const read = readSettings(env);
  const { settings, warnings } = read;
  const mistakes = [...read.mistakes, ...mistakesTogether(read)];
  if (mistakes.length > 0) {
    throw new VouchsafeError("configuration-invalid", mistakes.join("; "), { extensions: { mistakes } });
  }
  const { authorityCertificates, authorityKeys, jwtKeys, verifierId, ...rest } = settings;
  const authorityFiles = authorityCertificates.flatMap((certificates, i) => {
    const [key, jwtKey] = [authorityKeys[i], jwtKeys[i]];
    return key === undefined || jwtKey === undefined ? [] : { certificates, key, jwtKey };
  });
  return { ...rest, authorityFiles, verifierId: verifierId ?? `https://${settings.origin}`, warnings };
}

/** What is wrong of settings that each may be so. */
function mistakesTogether({ settings, origins }: ReadSettings): string[] {
  const { authorityCertificates, authorityKeys, jwtKeys } = settings;
  const noDatabase = origins.databaseUrl === "default";
  const mistakes: string[] = [];
  if (origins.migrateDatabaseUrl !== "default" && noDatabase)
    mistakes.push("MIGRATE_DATABASE_URL needs DATABASE_URL beside it");
  if (settings.requirePostgres && noDatabase)
    mistakes.push(
      "DATABASE_URL is needed here: the embedded database never fsyncs and is for evaluation only",
    );
  if (settings.trustFile !== undefined && settings.trustedRoots.length + settings.keys.length > 0)
    mistakes.push(
      "VOUCHSAFE_TRUST holds all of the trust: VOUCHSAFE_TRUSTED_ROOT and VOUCHSAFE_KEYS are not taken beside it",
    );
  if ([authorityKeys, jwtKeys].some(({ length }) => length !== authorityCertificates.length))
    mistakes.push("VOUCHSAFE_CA_CERT, VOUCHSAFE_CA_KEY and VOUCHSAFE_JWT_KEY go together, file for file");
  if (origins.verifierId === "default" && typeUri.fromText(`https://${settings.origin}`) === undefined)
    mistakes.push(
      `VOUCHSAFE_VERIFIER_ID is needed: https:// and VOUCHSAFE_ORIGIN, its default, ${typeUri.must}`,
    );
  return mistakes;
}
