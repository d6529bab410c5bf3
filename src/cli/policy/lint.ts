import { Command } from "commander";
import type { PolicyDocument } from "../../client/types.ts";
import type { LintLevel, PlacedFinding } from "../../policy/lint.ts";
import { readPolicyFiles, requirePolicy } from "../arguments/files.ts";
import { loadOrTell } from "../arguments/policies.ts";
import { EXIT } from "../exit-codes.ts";
import { showPlace } from "../output/diagnostics.ts";
import type { Terminal } from "../output/terminal.ts";
import { action } from "../session.ts";
import { othersIn } from "./kinds.ts";

interface LintOptions {
  readonly strict?: boolean;
  readonly trust?: string;
}

export function policyLintCommand(): Command {
  return new Command("lint")
    .description("load policy files as the server would, without a server, and say what to look at")
    .argument("<dir|file...>", "policy files, or directories of them")
    .option("--strict", "refuse them for warnings too")
    .option(
      "--trust <file>",
      "the trust document that they are to count under, as `trust show --document` prints it",
    )
    .action(
      action(async (session, paths: string[], { strict = false, trust }: LintOptions) => {
        const { terminal, json } = session;
        const documents = await readPolicyFiles(paths);
        const set = await loadOrTell(session, documents);
        if (set === undefined) return EXIT.refused;
        const others = othersIn(set);
        // What stands beside policies may be looked at by itself.
        if (others.length === 0) requirePolicy(set, paths);
        const { lintPolicies } = await import("../../policy/lint.ts");
        const findings = lintPolicies(set, trust === undefined ? undefined : await keysIn(trust));
        const refusing: readonly LintLevel[] = strict ? ["error", "warning"] : ["error"];
        const refused = findings.some(({ level }) => refusing.includes(level));
        const loaded = [...set.policies.values()].map(({ name, hash }) => ({ name, hash }));
        if (json)
          terminal.printJson({ policySet: set.hash, policies: loaded, others, diagnostics: [], findings });
        else {
          // The files are refused together: of none is said that it is as it should be.
          if (!refused) {
            for (const { name, hash } of loaded) terminal.print(`ok ${name} ${hash}`, "good");
            for (const { kind, name, hash } of others) terminal.print(`ok ${kind} ${name} ${hash}`, "good");
          }
          tell(terminal, findings, documents);
        }
        return refused ? EXIT.refused : EXIT.ok;
      }),
    );
}

/** Each with its place, as mistakes are shown; what is only worth knowing without the line. */
function tell(
  terminal: Terminal,
  findings: readonly PlacedFinding[],
  documents: readonly PolicyDocument[],
): void {
  for (const finding of findings) {
    const { level, rule, file, line, column, message } = finding;
    terminal.note(
      `${file}:${line}:${column}: ${level}: ${message} [${rule}]`,
      level === "error" ? "bad" : "plain",
    );
    if (level !== "info") showPlace(terminal, finding, documents);
  }
}

/** The names of the keys in a trust document. */
async function keysIn(file: string): Promise<readonly string[]> {
  // Loaded here alone: the verifier is large.
  const { readTrust } = await import("../arguments/trust.ts");
  const { trust } = await readTrust({ trust: file });
  return trust.document.keys.map(({ name }) => name);
}
