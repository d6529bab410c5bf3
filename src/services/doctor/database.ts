import type { Database } from "../../db/connection.ts";
import { type DatabaseSetup, examineDatabase } from "../../db/inspection/examine.ts";
import { bad, type Finding, ok, warning } from "./finding.ts";

/** The oldest major release that its makers still mend. */
const OLDEST = 140_000;
/** Milliseconds by which clocks may differ: less than what certificates and proofs are given. */
const SKEW = 5_000;
/** Connections of one node: its pool, and one that listens. */
const OF_A_NODE = 11;

export async function lookAtDatabase(database: Database, clock: () => number): Promise<readonly Finding[]> {
  if (database.kind === "pglite")
    return [
      warning(
        "database",
        "the embedded database is used, which never fsyncs: receipts are not durable",
        "For anything but evaluation set DATABASE_URL.",
      ),
    ];
  const before = clock();
  const setup = await database.transaction(examineDatabase);
  const now = (before + clock()) / 2;
  return [
    ok(
      "database",
      `Postgres ${setup.version}, ${Math.ceil(setup.size / 1024 ** 2)} MiB, its schema up to date`,
    ),
    ...told(setup, now),
  ];
}

/** @param now this machine's time when `setup.now` was read, in milliseconds since the epoch */
export function told(setup: DatabaseSetup, now: number): readonly Finding[] {
  const skew = Math.round(Math.abs(setup.now - now));
  return [
    ...(setup.number >= OLDEST
      ? []
      : [warning("database", `Postgres ${setup.version} is not maintained any more`, "Upgrade it.")]),
    setup.fsync
      ? ok("fsync", "what is committed is on the disk")
      : bad("fsync", "Postgres runs with fsync = off: receipts are not durable", "Set fsync = on."),
    ...rights(setup),
    ...(setup.maxConnections >= 3 * OF_A_NODE
      ? []
      : [
          warning(
            "database",
            `Postgres takes ${setup.maxConnections} connections, and each node holds ${OF_A_NODE}`,
            "Raise max_connections.",
          ),
        ]),
    skew <= SKEW
      ? ok("clock", "this machine's clock and the database's agree")
      : bad("clock", `this machine's clock and the database's differ by ${skew} ms`, "Have both set by NTP."),
  ];
}

function rights({ role, isSuperuser, mayChangeLog, ownsLog }: DatabaseSetup): Finding[] {
  const advice =
    "Give the owner's role in MIGRATE_DATABASE_URL and another in DATABASE_URL, and run `vouchsafe migrate`.";
  if (isSuperuser)
    return [bad("rights", `the role ${role} is a superuser: nothing keeps it from changing the log`, advice)];
  if (ownsLog)
    return [bad("rights", `the role ${role} owns the log's tables, and could lift their protection`, advice)];
  if (mayChangeLog)
    return [bad("rights", `the role ${role} may change or delete what the log holds`, advice)];
  return [ok("rights", `the role ${role} can add to the log, and not change it`)];
}
