import { Command } from "commander";
import type { Sweep } from "../client/retention.ts";
import { knownDigest } from "./arguments/known-digest.ts";
import { EXIT } from "./exit-codes.ts";
import { printTable } from "./output/table.ts";
import { action } from "./session.ts";

interface Reason {
  readonly reason: string;
}

export function retentionCommand(): Command {
  return new Command("retention")
    .description("say how long evidence is kept, hold it, and delete what nothing keeps")
    .addCommand(show())
    .addCommand(assign())
    .addCommand(hold())
    .addCommand(holds())
    .addCommand(release())
    .addCommand(sweep());
}

function show(): Command {
  return new Command("show")
    .description("show what keeps the evidence about an artifact, and until when")
    .argument("<digest|file>", "algorithm:hex, or a file")
    .action(
      action(async ({ client, terminal, json }, artifact: string) => {
        const retention = await client().readRetention(await knownDigest(client(), artifact));
        if (json) terminal.printJson(retention);
        else {
          const name = retention.class ?? "none: kept for ever";
          terminal.print(`class ${name}${retention.isAssigned ? ", assigned" : ""}`);
          for (const { id, reason } of retention.holds) terminal.print(`held ${id}: ${reason}`);
          for (const { attestation, state, keptUntil } of retention.evidence) {
            terminal.print(`${state} ${attestation}${keptUntil === null ? "" : ` until ${keptUntil}`}`);
          }
        }
        return EXIT.ok;
      }),
    );
}

function assign(): Command {
  return new Command("assign")
    .description("assign an artifact its retention class")
    .argument("<digest|file>", "algorithm:hex, or a file")
    .argument("<class>", "a class of the active policies' RetentionPolicy")
    .requiredOption("--reason <text>", "why; it stands in the log")
    .action(
      action(async ({ client, terminal, json }, artifact: string, name: string, { reason }: Reason) => {
        const assigned = await client().assignRetention(await knownDigest(client(), artifact), name, reason);
        if (json) terminal.printJson(assigned);
        else {
          const { artifact, class: name, receipt } = assigned;
          terminal.print(`assigned ${artifact} to ${name}: log index ${receipt.index}`, "good");
        }
        return EXIT.ok;
      }),
    );
}

function hold(): Command {
  return new Command("hold")
    .description("keep the evidence that an artifact's chain needs, whatever its class")
    .argument("<digest|file>", "algorithm:hex, or a file")
    .requiredOption("--reason <text>", "why, such as the matter's number; it stands in the log")
    .action(
      action(async ({ client, terminal, json }, artifact: string, { reason }: Reason) => {
        const placed = await client().placeHold(await knownDigest(client(), artifact), reason);
        if (json) terminal.printJson(placed);
        else {
          const { id, artifact, receipt } = placed;
          terminal.print(`held ${artifact}: id ${id}, log index ${receipt.index}`, "good");
        }
        return EXIT.ok;
      }),
    );
}

function holds(): Command {
  return new Command("holds").description("show the legal holds that stand").action(
    action(async ({ client, terminal, json }) => {
      const holds = await client().listHolds();
      if (json) terminal.printJson({ holds });
      else {
        const rows = holds.map(({ id, artifact, reason }) => [id, artifact, reason]);
        printTable(terminal, ["ID", "ARTIFACT", "REASON"], rows, { empty: "Nothing is held." });
      }
      return EXIT.ok;
    }),
  );
}

function release(): Command {
  return new Command("release")
    .description("end a legal hold: the retention class decides again")
    .argument("<id>", "as shown by retention holds")
    .requiredOption("--reason <text>", "why; it stands in the log")
    .action(
      action(async ({ client, terminal, json }, id: string, { reason }: Reason) => {
        const released = await client().releaseHold(id, reason);
        if (json) terminal.printJson(released);
        else terminal.print(`released ${released.id}: log index ${released.receipt.index}`, "good");
        return EXIT.ok;
      }),
    );
}

function sweep(): Command {
  return new Command("sweep")
    .description("delete the bytes of evidence that nothing keeps any more")
    .option("--dry-run", "only say which")
    .action(
      action(async ({ client, terminal, json }, { dryRun }: { dryRun?: boolean }) => {
        const { readDue, sweepRetention } = client();
        const expired: Sweep["expired"][number][] = [];
        let [held, live] = [0, 0];
        for (let after: number | null | undefined; after !== null; ) {
          const part = await (dryRun ? readDue(after) : sweepRetention(after));
          for (const one of part.expired) {
            if (json) expired.push(one);
            else
              terminal.print(
                `${dryRun ? "due" : "deleted"} ${one.attestation} ${one.class} ${one.keptUntil}`,
              );
          }
          held += part.held;
          live += part.live;
          after = part.next;
        }
        if (json) terminal.printJson({ expired, held, live });
        else terminal.note(`${held} held, ${live} that identities rest on`);
        return EXIT.ok;
      }),
    );
}
