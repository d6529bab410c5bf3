import { Command } from "commander";
import type { AttestationSummary, Signer } from "../client/types.ts";
import { knownDigest } from "./arguments/known-digest.ts";
import { exceptionLine } from "./exception.ts";
import { EXIT } from "./exit-codes.ts";
import { printChecks } from "./output/findings.ts";
import { quarantinedText } from "./output/revocation-words.ts";
import type { Terminal } from "./output/terminal.ts";
import { action } from "./session.ts";
import { UsageError } from "./usage-error.ts";

interface FindOptions {
  readonly repository?: string;
  readonly commit?: string;
  readonly signer?: string;
  readonly limit?: string;
  readonly after?: string;
}

export function artifactCommand(): Command {
  return new Command("artifact")
    .description("look artifacts up by what their evidence says")
    .addCommand(show())
    .addCommand(find());
}

function show(): Command {
  return new Command("show")
    .description("show what is known of an artifact")
    .argument("<digest|file>", "algorithm:hex, or a file")
    .action(
      action(async ({ client, terminal, json }, argument: string) => {
        const artifact = await client().readArtifact(await knownDigest(client(), argument));
        if (json) {
          terminal.printJson(artifact);
          return EXIT.ok;
        }
        terminal.print(`${artifact.digest} ${artifact.names.join(", ")}`.trimEnd());
        for (const { id, target, reason } of artifact.quarantines) {
          const by = "artifact" in target ? id : `${id}, of ${quarantinedText(target)}`;
          terminal.print(`  quarantined (${by}): ${reason}`);
        }
        for (const exception of artifact.exceptions)
          terminal.print(`  exception ${exceptionLine(exception)}`, "bad");
        for (const { id, policy, approver } of artifact.approvals) {
          terminal.print(`  approved for ${policy} by ${approver} (${id})`);
        }
        for (const container of artifact.containedIn)
          terminal.print(`  contained in ${container}, by its manifest`);
        if (artifact.contains.length > 0)
          terminal.print(`  contains ${artifact.contains.join(", ")}, by its manifest`);
        for (const attestation of artifact.attestations) printAttestation(terminal, attestation);
        for (const { policy, outcome, slsaLevel, current, checks } of artifact.verdicts) {
          const age = current ? "" : " (of policies, trust or evidence that have changed since)";
          terminal.print(`  policy ${policy} ${outcome}: SLSA build level ${slsaLevel}${age}`);
          if (outcome === "failed") printChecks(terminal, checks, "    ");
        }
        return EXIT.ok;
      }),
    );
}

function find(): Command {
  return new Command("find")
    .description("find artifacts by source repository, commit or signer")
    .option("--repository <uri>", "such as https://github.com/acme/widget")
    .option("--commit <hex>", "the commit that it was built from")
    .option("--signer <identity>", "certificate identity or key name")
    .option("--limit <n>", "at most this many, 1 to 200")
    .option("--after <cursor>", "go on where the page before ended")
    .action(
      action(async ({ client, terminal, json }, { limit, ...filters }: FindOptions) => {
        if (
          filters.repository === undefined &&
          filters.commit === undefined &&
          filters.signer === undefined
        ) {
          throw new UsageError("Give at least one of --repository, --commit and --signer");
        }
        if (limit !== undefined && !/^[1-9][0-9]{0,2}$/.test(limit)) {
          throw new UsageError(`--limit takes a number from 1 to 200 and not ${limit}`);
        }
        const found = await client().findArtifacts({
          ...filters,
          ...(limit === undefined ? {} : { limit: Number(limit) }),
        });
        if (json) {
          terminal.printJson(found);
          return EXIT.ok;
        }
        for (const { digest, name, attestations } of found.artifacts) {
          terminal.print(`${digest} ${name ?? ""}`.trimEnd());
          for (const attestation of attestations) printAttestation(terminal, attestation);
        }
        if (found.artifacts.length === 0) terminal.note("No evidence is about an artifact like this.");
        if (found.next !== null) terminal.note(`There are more: add --after ${found.next}`);
        return EXIT.ok;
      }),
    );
}

function printAttestation(terminal: Terminal, attestation: AttestationSummary): void {
  const { id, predicateType, signer, source } = attestation;
  const from = [source.repository, source.ref, source.commit].filter((part) => part !== undefined).join(" ");
  terminal.print(`  evidence ${id}: ${predicateType ?? "signature of the artifact itself"}`);
  terminal.print(`    signed by ${signerName(signer)}${from === "" ? "" : `, from ${from}`}`);
}

function signerName(signer: Signer): string {
  return signer.case === "key" ? `key ${signer.name}` : `${signer.identity} (${signer.issuer})`;
}
