import type { Config } from "../../config/config.ts";
import { type Database, openDatabase } from "../../db/connection.ts";
import { lookAtDataDirectory } from "./data-directory.ts";
import { lookAtDatabase } from "./database.ts";
import { bad, type Finding, looking, ok } from "./finding.ts";
import { lookAtLog } from "./log.ts";
import { lookAtMachine, lookAtPorts } from "./machine.ts";
import { lookAtNetwork, lookAtServer } from "./network.ts";
import { lookAtStanding } from "./standing.ts";

export interface Patient {
  /** Of a server on this machine; absent: only one elsewhere is looked at. */
  readonly config: Config | undefined;
  readonly server: string;
  /** Whether somebody said that there is a server. */
  readonly isExpected: boolean;
}

/**
 * Looks for what is wrong with an installation: its machine, its data directory, its database and log, what is in force, and the
 * server as it answers. Nothing is changed, and nothing secret told.
 *
 * @param clock milliseconds since the epoch
 */
export async function examine(
  { config, server, isExpected }: Patient,
  clock: () => number,
): Promise<readonly Finding[]> {
  const ofServer = await looking("server", () => lookAtServer(server, isExpected, clock));
  if (config === undefined) return ofServer;
  const isServed = ofServer.some(({ check, level }) => check === "server" && level === "ok");
  const local = [
    await looking("machine", () => lookAtMachine(config)),
    await looking("data-directory", () => lookAtDataDirectory(config)),
    await looking("port", () => lookAtPorts(config, isServed)),
  ].flat();
  // To open it, an embedded database's directory is made this user's own: it would change what was to be told.
  const isUsable =
    config.databaseUrl !== undefined ||
    !local.some(({ check, level }) => check === "data-directory" && level !== "ok");
  const ofDatabase = isUsable ? await lookInside(config, isServed, clock) : [];
  return [
    ...config.warnings.map((what) => ({ check: "configuration", level: "warning", what }) as const),
    ...local,
    ...ofDatabase,
    ...ofServer,
  ];
}

/** What to do about a database that cannot be opened: before a first start nothing is made that the owner's role makes. */
function unopened({ databaseUrl, migrateDatabaseUrl }: Config): string {
  if (databaseUrl === undefined) return "Look at the data directory: the embedded database is in it.";
  return migrateDatabaseUrl === undefined
    ? "Look whether it runs and DATABASE_URL names it. If only its role or schema is missing: `vouchsafe migrate`, with MIGRATE_DATABASE_URL."
    : "Look whether it runs and DATABASE_URL names it. If only its role or schema is missing: `vouchsafe migrate`, or a start.";
}

async function lookInside(
  config: Config,
  isServed: boolean,
  clock: () => number,
): Promise<readonly Finding[]> {
  const { dataDir, databaseUrl } = config;
  let database: Database;
  try {
    database = await openDatabase({
      dataDir,
      ...(databaseUrl !== undefined && { databaseUrl }),
      asItIs: true,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    // Two processes would corrupt it.
    if (databaseUrl === undefined && isServed)
      return [ok("database", "the embedded database is in use by the server, and was left alone")];
    return [
      bad("database", why, unopened(config)),
      ...(await looking("network", () => lookAtNetwork(config, undefined))),
    ];
  }
  try {
    const findings = [
      await looking("database", () => lookAtDatabase(database, clock)),
      await looking("log", () => lookAtLog(config, database, clock())),
      await looking("standing", () => lookAtStanding(config, database, clock())),
      await looking("network", () => lookAtNetwork(config, database)),
    ];
    return findings.flat();
  } finally {
    await database.close();
  }
}
