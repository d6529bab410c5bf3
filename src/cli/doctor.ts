import { Command } from "commander";
import type { Config } from "../config/config.ts";
import { mistakesOf } from "../config/mistakes.ts";
import { VouchsafeError } from "../errors.ts";
import type { Finding, Level } from "../services/doctor/finding.ts";
import { type ConfigOption, configOption, readServerConfig } from "./config.ts";
import { EXIT } from "./exit-codes.ts";
import type { Mark, Terminal } from "./output/terminal.ts";
import { action, DEFAULT_SERVER } from "./session.ts";

interface Options extends ConfigOption {
  readonly remote?: boolean;
}

const MARKS: Readonly<Record<Level, readonly [symbol: string, word: string, mark: Mark]>> = {
  ok: ["✓", "ok", "good"],
  warning: ["!", "warning", "plain"],
  bad: ["✗", "wrong", "bad"],
};

export function doctorCommand(): Command {
  return new Command("doctor")
    .description(
      "find what is wrong with an installation: run it where the server runs, with its environment; it changes nothing",
    )
    .addOption(configOption())
    .option("--remote", "look at the server at --server only, and at nothing of this machine")
    .action(
      action(async ({ terminal, json, server }, options: Options) => {
        // Loaded here alone: databases are large, and every other command would wait for them.
        const { examine } = await import("../services/doctor/examine.ts");
        const { config, findings: first } =
          options.remote === true ? { findings: [] } : await configured(options);
        const named = server();
        const isNamed = named !== DEFAULT_SERVER;
        const patient = {
          config,
          server: isNamed || config === undefined ? named : ownAddress(config),
          isExpected: isNamed || options.remote === true,
        };
        const findings = [...first, ...(await examine(patient, Date.now))];
        const isWell = !findings.some(({ level }) => level === "bad");
        if (json) terminal.printJson({ well: isWell, findings });
        else print(terminal, findings);
        return isWell ? EXIT.ok : EXIT.refused;
      }),
    );
}

/** That the configuration does not hold is the first finding: the server's answers are looked at all the same. */
async function configured(
  options: Options,
): Promise<{ readonly config?: Config; readonly findings: readonly Finding[] }> {
  try {
    return { config: await readServerConfig(options), findings: [] };
  } catch (error) {
    if (!(error instanceof VouchsafeError)) throw error;
    const advice = "Run it with the server's environment; docs/configuration.md has every setting.";
    const mistakes = mistakesOf(error.extensions);
    const told = mistakes.length === 0 ? [error.message] : mistakes;
    return { findings: told.map((what) => ({ check: "configuration", level: "bad", what, advice })) };
  }
}

/** Where the server of this configuration is asked on this machine, if it is not told elsewhere. */
function ownAddress({ host, port }: Config): string {
  if (port === 0) return DEFAULT_SERVER;
  const name =
    host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

function print(terminal: Terminal, findings: readonly Finding[]): void {
  for (const { check, level, what, advice } of findings) {
    const [symbol, word, mark] = MARKS[level];
    terminal.print(`${terminal.showsSymbols ? symbol : word} ${check}: ${what}`, mark);
    if (advice !== undefined) terminal.print(`    ${advice}`);
  }
}
