import { Command } from "commander";
import { exportCommand } from "./custody/export.ts";
import { showCommand } from "./custody/show.ts";
import { verifyCommand } from "./custody/verify.ts";

export function custodyCommand(): Command {
  return new Command("custody")
    .description("show, export and verify an artifact's chain of custody")
    .addCommand(showCommand())
    .addCommand(exportCommand())
    .addCommand(verifyCommand());
}
