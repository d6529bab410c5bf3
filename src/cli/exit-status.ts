import { Command } from "commander";
import { EXIT } from "./exit-codes.ts";

export const EXIT_STATUS = `Exit status:
  ${EXIT.ok}  done; allowed; it holds
  ${EXIT.refused}  refused; denied; it does not hold: what was asked has an answer, and it is no
  ${EXIT.usage}  the command line, a file named on it, or the configuration is wrong, as is found here or by the server: nothing was judged
  ${EXIT.failed}  the server could not be reached, is none of Vouchsafe, or it or this machine failed: nothing is known`;

/** For `vouchsafe help exit-codes`: a page, and no command of its own. */
export function exitCodesPage(): Command {
  return new Command("exit-codes")
    .description("what the exit status of every command says")
    .helpOption(false)
    .usage(" ")
    .configureHelp({ formatHelp: () => `${EXIT_STATUS}\n` })
    .action((_, command: Command) => command.outputHelp());
}
