import { Command } from "commander";
import { EXIT } from "./exit-codes.ts";
import { action } from "./session.ts";

export function whoAmICommand(): Command {
  return new Command("whoami").description("say who calls, as the server sees it, and by which rule").action(
    action(async ({ client, terminal, json }) => {
      const caller = await client().whoAmI();
      if (json) terminal.printJson(caller);
      else {
        const { name, project, roles, policies, mayChoosePolicy, rule } = caller;
        terminal.print(caller.caller);
        if (name !== caller.caller) terminal.print(`  name      ${name}`);
        terminal.print(`  project   ${project}`);
        terminal.print(`  roles     ${roles.join(", ")}`);
        terminal.print(`  policies  ${mayChoosePolicy ? "any" : policies.join(", ") || "none"}`);
        if (rule !== null) terminal.print(`  rule      ${rule.number} of the AccessPolicy ${rule.policy}`);
      }
      return EXIT.ok;
    }),
  );
}
