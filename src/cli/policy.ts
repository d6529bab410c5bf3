import { Command } from "commander";
import { ApiError } from "../client/api-error.ts";
import type { ActivePolicies, PolicyDocument, PolicyName, PolicyReload } from "../client/types.ts";
import { VouchsafeError } from "../errors.ts";
import type { PolicySet } from "../policy/load.ts";
import { readPolicyFiles, requirePolicy } from "./arguments/files.ts";
import { EXIT } from "./exit-codes.ts";
import { tellInvalid } from "./output/diagnostics.ts";
import type { Terminal } from "./output/terminal.ts";
import { policyExplainCommand } from "./policy/explain.ts";
import { othersIn } from "./policy/kinds.ts";
import { policyLintCommand } from "./policy/lint.ts";
import { policyReportCommand } from "./policy/report.ts";
import { policySimulateCommand } from "./policy/simulate.ts";
import { policyTestCommand } from "./policy/test.ts";
import { action, type Session } from "./session.ts";

export function policyCommand(): Command {
  return new Command("policy")
    .description("check, test, explain, simulate, show and activate policies")
    .addCommand(policyLintCommand())
    .addCommand(policyTestCommand())
    .addCommand(policyExplainCommand())
    .addCommand(policySimulateCommand())
    .addCommand(policyReportCommand())
    .addCommand(show())
    .addCommand(activate());
}

function show(): Command {
  return new Command("show")
    .description("show the active policies")
    .option("--text", "print the documents as they were written")
    .action(
      action(async ({ client, terminal, json }, { text = false }: { text?: boolean }) => {
        const active = await client().readPolicies();
        if (json) terminal.printJson(active);
        else if (text) printDocuments(terminal, active.documents);
        else {
          terminal.print(`policy set ${active.policySet ?? "(none is active: everything is denied)"}`);
          for (const policy of [...active.policies, ...(await readOthers(active.documents))])
            terminal.print(`  ${named(policy)}`);
          if (active.lastReload !== null) printReload(terminal, active.lastReload);
        }
        return EXIT.ok;
      }),
    );
}

function printReload(terminal: Terminal, { at, outcome, problem }: PolicyReload): void {
  const what = problem === null ? outcome : `${outcome}: ${problem.message}`;
  terminal.print(
    `the directory of the node was read again at ${at}: ${what}`,
    problem === null ? "plain" : "bad",
  );
}

function printDocuments(terminal: Terminal, documents: readonly PolicyDocument[]): void {
  for (const { name, text } of documents) {
    terminal.print(`# ${name}`);
    for (const line of text.trimEnd().split("\n")) terminal.print(line);
  }
}

function activate(): Command {
  return new Command("activate")
    .description("make these policies the active ones, all of them and no others")
    .argument("<dir|file...>", "policy files, or directories of them")
    .action(
      action(async (session, paths: string[]) => {
        const documents = await readPolicyFiles(paths);
        const set = await loadHere(documents);
        if (set !== undefined) requirePolicy(set, paths);
        const before = await session.client().readPolicies();
        try {
          await activateOver(session, before, documents);
          return EXIT.ok;
        } catch (error) {
          if (error instanceof ApiError && error.code === "invalid-policy" && !session.json) {
            tellInvalid(session.terminal, error.problem, documents);
            return EXIT.refused;
          }
          throw error;
        }
      }),
    );
}

async function activateOver(
  { client, terminal, json }: Session,
  before: ActivePolicies,
  documents: readonly PolicyDocument[],
): Promise<void> {
  const activated = await client().activatePolicies(documents, before.policySet);
  if (json) terminal.printJson(activated);
  else {
    const { receipt, policySet, policies } = activated;
    const how = receipt === null ? "was active already" : `recorded at log index ${receipt.index}`;
    terminal.print(`active ${policySet}: ${how}`, "good");
    const [others, othersBefore] = [await readOthers(documents), await readOthers(before.documents)];
    for (const line of [...changes(before.policies, policies), ...changes(othersBefore, others)])
      terminal.print(`  ${line}`);
  }
}

/** Only verification policies have a mode here. */
type Named = Pick<PolicyName, "name" | "hash"> & Partial<PolicyName>;

/** Under names that say their kind. */
async function readOthers(documents: readonly PolicyDocument[]): Promise<readonly Named[]> {
  const set = await loadHere(documents);
  if (set === undefined) return [];
  return othersIn(set).map(({ kind, name, hash }) => ({ name: `${kind} ${name}`, hash }));
}

/** Undefined where they are the server's to judge, whose version may load what this one does not. */
async function loadHere(documents: readonly PolicyDocument[]): Promise<PolicySet | undefined> {
  const { loadPolicySet } = await import("../policy/load.ts");
  try {
    return loadPolicySet(documents);
  } catch (error) {
    if (error instanceof VouchsafeError) return undefined;
    throw error;
  }
}

function changes(before: readonly Named[], after: readonly Named[]): string[] {
  const old = new Map(before.map(({ name, hash }) => [name, hash]));
  const names = new Set(after.map(({ name }) => name));
  return [
    ...after.map((policy) => {
      const was = old.get(policy.name);
      return `${was === undefined ? "added" : was === policy.hash ? "same" : "changed"} ${named(policy)}`;
    }),
    ...before.filter(({ name }) => !names.has(name)).map(({ name }) => `removed ${name}`),
  ];
}

function named({ name, hash, mode }: Named): string {
  return `${name} ${hash}${mode === "audit" ? " (audit: denies nothing)" : ""}`;
}
