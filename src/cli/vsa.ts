import { createPublicKey, hash, type KeyObject } from "node:crypto";
import { Command } from "commander";
import { ApiError } from "../client/api-error.ts";
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
        const key = readKey(await client().summaryKey());
        // Written anew, so that nothing but a key gets to the terminal.
        const publicKey = key.export({ format: "pem", type: "spki" }).toString();
        // As envelopes name it.
        const keyId = hash("sha256", key.export({ format: "der", type: "spki" }), "hex");
        if (json) terminal.printJson({ keyId, publicKey });
        else await terminal.write(new TextEncoder().encode(publicKey));
        return EXIT.ok;
      }),
    );
}

function readKey(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (cause) {
    const message = "The server answered with something that is no public key: is this a Vouchsafe server?";
    throw new ApiError("unexpected-answer", message, { cause });
  }
}
