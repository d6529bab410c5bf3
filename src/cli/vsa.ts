import { createPublicKey, hash } from "node:crypto";
import { Command } from "commander";
import { EXIT } from "./exit-codes.ts";
import { action } from "./session.ts";

export function vsaCommand(): Command {
  return new Command("vsa").description("look at how verification summaries are signed").addCommand(key());
}

function key(): Command {
  return new Command("key")
    .description("print the public key of verification summaries; keep it where the server cannot change it")
    .action(
      action(async ({ client, terminal, json }) => {
        const publicKey = await client().summaryKey();
        if (json) terminal.printJson({ keyId: keyIdOf(publicKey), publicKey });
        else terminal.print(publicKey);
        return EXIT.ok;
      }),
    );
}

/** As it stands in envelopes: the sha256 of the SubjectPublicKeyInfo, in hex. */
function keyIdOf(pem: string): string {
  return hash("sha256", createPublicKey(pem).export({ format: "der", type: "spki" }), "hex");
}
