import { writeFile } from "node:fs/promises";
import { Command } from "commander";
import type { Client, Question } from "../client/client.ts";
import type { Decision } from "../client/types.ts";
import { decisionAbout } from "./arguments/known-digest.ts";
import { EXIT } from "./exit-codes.ts";
import { printReasons, short } from "./output/findings.ts";
import type { Terminal } from "./output/terminal.ts";
import { time } from "./output/time.ts";
import { action } from "./session.ts";
import { UsageError } from "./usage-error.ts";

/** Reasons that say nothing of the artifact: the question was not whole. */
const NAMES_NO_POLICY: ReadonlySet<string> = new Set(["no-policy-named", "unknown-policy"]);

interface Options {
  readonly policy?: string;
  readonly vsa?: string;
}

export function verifyDigestCommand(): Command {
  return new Command("verify-digest")
    .description("ask whether an artifact may run: allow or deny, and why")
    .argument("<digest|file>", "algorithm:hex, or a file, which is asked about by each of its digests")
    .option("--policy <name>", "decide by this policy, where the token may choose")
    .option(
      "--vsa <file>",
      "if it is allowed, write that as a signed verification summary, in the place of an older one",
    )
    .action(
      action(async ({ client, terminal, json }, artifact: string, { policy, vsa }: Options) => {
        const question = policy === undefined ? {} : { policy };
        const asked = await decisionAbout(client(), artifact, question);
        const isWanted = vsa !== undefined && asked.decision === "allow";
        const decision = isWanted ? await writeSummary(client(), asked, question, vsa) : asked;
        const isAllowed = decision.decision === "allow";
        if (json) terminal.printJson(decision);
        else {
          printDecision(terminal, decision);
          if (isWanted && isAllowed) terminal.print(`  wrote ${vsa}`, "good");
        }
        return isAllowed ? EXIT.ok : EXIT.refused;
      }),
    );
}

/** Gives the decision that now holds: what was allowed may be denied by the time that a summary of it is asked for. */
async function writeSummary(
  client: Client,
  asked: Decision,
  question: Question,
  file: string,
): Promise<Decision> {
  const summary = await client.verificationSummary(asked.digest, { ...question, minSize: asked.asOf });
  if (summary.case === "denied") return summary.decision;
  try {
    await writeFile(file, summary.envelope);
  } catch (cause) {
    throw new UsageError(`${file} cannot be written: name another with --vsa`, { cause });
  }
  return asked;
}

function printDecision(
  terminal: Terminal,
  { decision, digest, enforced, reasons, policies, asOf, validUntil }: Decision,
): void {
  terminal.print(`${decision} ${digest}`, decision === "allow" ? "good" : "bad");
  if (!enforced)
    terminal.print("  not enforced: every policy named is in audit mode, and none vouches for it", "bad");
  printReasons(terminal, reasons);
  if (reasons.some(({ code }) => NAMES_NO_POLICY.has(code))) {
    terminal.note("  Name one with --policy NAME: `vouchsafe policy show` lists them.");
  }
  for (const { policy, mode, outcome, slsaLevel, attestations } of policies) {
    const restsOn = attestations.length === 0 ? "" : `, resting on ${attestations.map(short).join(", ")}`;
    const name = mode === "audit" ? `${policy} (audit)` : policy;
    terminal.print(`  policy ${name} ${outcome}: SLSA build level ${slsaLevel}${restsOn}`);
  }
  const until = validUntil === null ? "" : `, valid until ${time(validUntil)}`;
  terminal.print(`  as of log size ${asOf}${until}`);
}
