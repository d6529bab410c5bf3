import { Command } from "commander";
import { ApiError } from "../../client/api-error.ts";
import type { SimulationProgress } from "../../client/simulation-types.ts";
import { readPolicyFiles } from "../arguments/files.ts";
import { EXIT } from "../exit-codes.ts";
import { tellInvalid } from "../output/diagnostics.ts";
import { action } from "../session.ts";
import { tellSimulation } from "./simulate-words.ts";

export function policySimulateCommand(): Command {
  return new Command("simulate")
    .description("say what would change if these policies were active, all of them and no others")
    .argument("<dir|file...>", "policy files, or directories of them")
    .option("--as-of <time|size>", "as of a time, such as 2026-03-01T12:00:00Z, or a log size; absent: now")
    .action(
      action(async ({ client, terminal, json }, paths: string[], { asOf }: { asOf?: string }) => {
        const documents = await readPolicyFiles(paths);
        const request = { documents, ...(asOf !== undefined && { asOf: sizeOrTime(asOf) }) };
        try {
          const simulation = await client().simulatePolicies(request, (progress) =>
            terminal.progress(progressText(progress)),
          );
          if (json) terminal.printJson(simulation);
          else tellSimulation(terminal, simulation);
          return EXIT.ok;
        } catch (error) {
          if (error instanceof ApiError && error.code === "invalid-policy" && !json) {
            tellInvalid(terminal, error.problem, documents);
            return EXIT.refused;
          }
          throw error;
        }
      }),
    );
}

function sizeOrTime(text: string): number | string {
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

function progressText(progress: SimulationProgress): string {
  const count = (many: number) => many.toLocaleString("en");
  return progress.case === "progress"
    ? `judged ${count(progress.attestations)} of ${count(progress.of)} attestations`
    : `judged ${count(progress.judged)} running workloads`;
}
