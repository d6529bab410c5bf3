import { Command } from "commander";
import { type ConfigOption, configOption, readServerConfig } from "./config.ts";
import { EXIT } from "./exit-codes.ts";
import { action } from "./session.ts";

export function migrateCommand(): Command {
  return new Command("migrate")
    .description("bring the database's schema up to date (MIGRATE_DATABASE_URL, DATABASE_URL)")
    .addOption(configOption())
    .action(
      action(async ({ terminal, json }, options: ConfigOption) => {
        const { databaseUrl, migrateDatabaseUrl, dataDir } = await readServerConfig(options);
        // Loaded here alone: databases are large, and every other command would wait for them.
        const { openDatabase } = await import("../db/connection.ts");
        const database = await openDatabase({
          dataDir,
          ...(databaseUrl === undefined ? {} : { databaseUrl }),
          ...(migrateDatabaseUrl === undefined ? {} : { migrateUrl: migrateDatabaseUrl }),
        });
        await database.close();
        const { kind, warnings } = database;
        if (json) terminal.printJson({ migrated: true, database: kind, warnings });
        else {
          terminal.print(`migrated: the ${kind} schema is up to date`, "good");
          for (const warning of warnings) terminal.note(`warning: ${warning}`);
        }
        return EXIT.ok;
      }),
    );
}
