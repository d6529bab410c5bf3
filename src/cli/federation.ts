import { Command } from "commander";
import { EXIT } from "./exit-codes.ts";
import { time } from "./output/time.ts";
import { action } from "./session.ts";

export function federationCommand(): Command {
  return new Command("federation")
    .description("look at the trust domains that are federated with")
    .addCommand(
      new Command("ls")
        .alias("list")
        .description("list them, where their bundles come from, and what went wrong")
        .action(
          action(async ({ client, terminal, json }) => {
            const { federation } = await client().federation();
            if (json) terminal.printJson({ federation });
            for (const { trustDomain, endpoint, bundle, fetchedAt, problem } of json ? [] : federation) {
              const from = endpoint === null ? "the policies" : `${endpoint.url} (${endpoint.profile})`;
              const when =
                endpoint === null
                  ? ""
                  : `, ${fetchedAt === null ? "never fetched" : `fetched ${time(fetchedAt)}`}`;
              terminal.print(`${trustDomain} from ${from}${when}`);
              if (bundle === null) terminal.print("  no bundle is known: its SVIDs are not believed", "bad");
              if (problem !== null) terminal.print(`  the last attempt failed: ${problem}`, "bad");
            }
            if (!json && federation.length === 0)
              terminal.note(
                "Nobody is federated with: a policy of kind FederatedTrustDomain says with whom.",
              );
            return EXIT.ok;
          }),
        ),
    );
}
