import { Command } from "commander";
import { knownDigest } from "./arguments/known-digest.ts";
import { serialOfArgument } from "./arguments/serial.ts";
import { EXIT } from "./exit-codes.ts";
import { time } from "./output/time.ts";
import { action } from "./session.ts";

interface ListOptions {
  readonly spiffeId?: string;
  readonly serial?: string;
  readonly workload?: string;
  readonly requester?: string;
  readonly live?: boolean;
  readonly after?: string;
}

export function identitiesCommand(): Command {
  return new Command("identities")
    .description("show the identities that were granted, newest first")
    .argument("[digest|file]", "only those for this artifact: algorithm:hex, or a file")
    .option("--spiffe-id <id>", "only those with this SPIFFE ID")
    .option("--serial <hex>", "only the one with this serial number, or this jti of a JWT")
    .option("--workload <name>", "only those of this workload policy")
    .option("--requester <name>", "only those that this agent or token asked for")
    .option("--live", "only those that are neither expired nor revoked")
    .option("--after <next>", "the page after one that said so")
    .action(
      action(async ({ client, terminal, json }, artifact: string | undefined, options: ListOptions) => {
        const page = await client().listIdentities({
          ...options,
          ...(options.serial !== undefined && { serial: serialOfArgument(options.serial) }),
          ...(artifact !== undefined && { digest: await knownDigest(client(), artifact) }),
        });
        if (json) terminal.printJson(page);
        else {
          for (const {
            kind,
            spiffeId,
            expiresAt,
            digests,
            requester,
            index,
            revokedIndex,
          } of page.identities) {
            const revoked = revokedIndex === null ? "" : `, revoked (#${revokedIndex})`;
            terminal.print(`${index} ${kind} ${spiffeId} until ${time(expiresAt)} to ${requester}${revoked}`);
            for (const digest of digests) terminal.print(`  for ${digest}`);
          }
          if (page.identities.length === 0) terminal.note("No identity was granted yet, or none like this.");
          if (page.next !== null) terminal.note(`more: --after ${page.next}`);
        }
        return EXIT.ok;
      }),
    );
}
