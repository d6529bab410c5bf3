import { Command } from "commander";
import { readLogKey } from "../arguments/log-key.ts";
import { EXIT } from "../exit-codes.ts";
import { action } from "../session.ts";

export function keyCommand(): Command {
  return new Command("key")
    .description(
      "print the log's active verifier keys, newest last; keep them where the server cannot change them",
    )
    .option("--trusted <key|file>", "only those that this key, which you have from elsewhere, vouches for")
    .action(
      action(async ({ client, terminal, json }, { trusted }: { trusted?: string }) => {
        if (trusted === undefined) {
          const verifierKeys = (await client().logKey()).split("\n");
          if (json) terminal.printJson({ verifierKeys });
          else for (const key of verifierKeys) terminal.print(key);
          return EXIT.ok;
        }
        // Loaded here alone: it knows events and their bodies, and most commands need neither.
        const { verifyLogKeys } = await import("../../custody/log-keys/verify.ts");
        const { checkpoint, keys } = verifyLogKeys(await client().logKeyProof(), await readLogKey(trusted));
        const active = keys.filter(({ retired }) => retired === undefined);
        if (json) {
          const changes = keys.map(({ verifierKey, added, retired }) => ({
            verifierKey,
            added: added.index,
            retired: retired?.index ?? null,
          }));
          terminal.printJson({ verifierKeys: active.map(({ verifierKey }) => verifierKey), keys: changes });
          return EXIT.ok;
        }
        for (const { label, added, retired } of keys) {
          const end = retired === undefined ? "signs" : `was retired by event ${retired.index}`;
          terminal.note(`${label}: added by event ${added.index}, ${end}`);
        }
        terminal.note(
          `Proved in the tree of ${checkpoint.size} entries, which all keys that sign have signed.`,
        );
        for (const { verifierKey } of active) terminal.print(verifierKey);
        return EXIT.ok;
      }),
    );
}
