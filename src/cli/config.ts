import { Command, Option } from "commander";
import type { Config } from "../config/config.ts";
import type { Environment } from "../config/read.ts";
import { EXIT } from "./exit-codes.ts";
import { printTable } from "./output/table.ts";
import { action } from "./session.ts";

export function configCommand(): Command {
  return new Command("config")
    .description("look at the server's configuration, as this environment and its file have it")
    .addCommand(checkCommand())
    .addCommand(showCommand());
}

/** Of commands that stand in for a server: they are configured as it is. */
export function configOption(): Option {
  return new Option("--config <file>", "the server's YAML file; or VOUCHSAFE_CONFIG");
}

export interface ConfigOption {
  readonly config?: string;
}

/** What a server would be told by the environment and the file. Loaded when it is asked for: YAML is large. */
export async function readServerConfig(options: ConfigOption): Promise<Config> {
  const { readConfig } = await import("../config/config.ts");
  return readConfig(serverEnvironment(options));
}

function serverEnvironment({ config }: ConfigOption): Environment {
  return config === undefined ? process.env : { ...process.env, VOUCHSAFE_CONFIG: config };
}

function checkCommand(): Command {
  return new Command("check")
    .description("tell every mistake in the configuration; nothing is opened or changed")
    .addOption(configOption())
    .action(
      action(async ({ terminal, json }, options: ConfigOption) => {
        const { warnings } = await readServerConfig(options);
        if (json) terminal.printJson({ valid: true, warnings });
        else {
          terminal.print("the configuration holds", "good");
          for (const warning of warnings) terminal.note(`warning: ${warning}`);
        }
        return EXIT.ok;
      }),
    );
}

function showCommand(): Command {
  return new Command("show")
    .description("print every setting, with where it came from; passwords are not shown")
    .addOption(configOption())
    .action(
      action(async ({ terminal, json }, options: ConfigOption) => {
        await readServerConfig(options);
        const [{ readSettings }, { SETTING_LIST }] = await Promise.all([
          import("../config/read.ts"),
          import("../config/settings.ts"),
        ]);
        const { given, origins, warnings } = readSettings(serverEnvironment(options));
        const shown = SETTING_LIST.map(([name, setting]) => ({
          variable: setting.env,
          member: setting.yaml,
          origin: origins[name],
          value:
            origins[name] !== "default" && setting.type.secret
              ? "(given)"
              : (given[name] ?? setting.written ?? null),
          absent: setting.shown.replaceAll("`", ""),
        }));
        if (json) terminal.printJson({ settings: shown, warnings });
        else {
          const rows = shown.map(({ member, variable, origin, value, absent }) => [
            member,
            origin === "environment" ? variable : origin,
            value === null ? `(${absent})` : [value].flat().join(", "),
          ]);
          printTable(terminal, ["SETTING", "FROM", "VALUE"], rows);
          for (const warning of warnings) terminal.note(`warning: ${warning}`);
        }
        return EXIT.ok;
      }),
    );
}
