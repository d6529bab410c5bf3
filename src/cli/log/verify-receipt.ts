import { Command } from "commander";
import { ApiError } from "../../client/api-error.ts";
import type { Client } from "../../client/client.ts";
import type { AskedLog } from "../../custody/check-receipts.ts";
import { VouchsafeError } from "../../errors.ts";
import { AttestationFormatError, type JsonValue, parseJson } from "../../in-toto-attestation/index.ts";
import { TILE_WIDTH } from "../../tlog/tiles.ts";
import { readBytes } from "../arguments/files.ts";
import { readLogKey } from "../arguments/log-key.ts";
import { readWitnesses } from "../arguments/witnesses.ts";
import { EXIT } from "../exit-codes.ts";
import { printChecks } from "../print-checks.ts";
import { action } from "../session.ts";
import { UsageError } from "../usage-error.ts";
import { servedBy } from "./server.ts";

/** As one upload has lines at most. */
const MAX_RECEIPTS = 1_000;
const MAX_BYTES = 16 * 1024 * 1024;

export function verifyReceiptCommand(): Command {
  return new Command("verify-receipt")
    .description("hold the log to receipts that it gave: that it still has those entries, where they were")
    .argument("<file>", "JSON that has receipts in it, such as what push --json or log receipt printed")
    .requiredOption("--log-key <key|file>", "the log's verifier key, which you have from elsewhere")
    .option("--witnesses <file>", "a witness policy that the receipts' checkpoints must meet")
    .action(
      action(
        async (
          { client, terminal, json },
          file: string,
          { logKey, witnesses }: { readonly logKey: string; readonly witnesses?: string },
        ) => {
          // Loaded here alone: it knows events, and most commands do not need them.
          const { checkReceipts } = await import("../../custody/check-receipts.ts");
          const { receiptsIn } = await import("../../custody/receipt.ts");
          const receipts = parsed(await readBytes(file, MAX_BYTES), file, receiptsIn);
          if (receipts.length === 0) throw new UsageError(`There is no receipt in ${file}`);
          if (receipts.length > MAX_RECEIPTS)
            throw new UsageError(`${file} has more than ${MAX_RECEIPTS} receipts`);
          const policy = witnesses === undefined ? undefined : await readWitnesses(witnesses);
          const report = await checkReceipts(receipts, await readLogKey(logKey), askedOf(client()), policy);
          if (json) terminal.printJson(report);
          else printChecks(terminal, receipts.length === 1 ? "receipt" : "set of receipts", report);
          return report.ok ? EXIT.ok : EXIT.refused;
        },
      ),
    );
}

/** One JSON value, or one a line. */
function parsed<T>(bytes: Uint8Array, file: string, read: (value: JsonValue) => T[]): T[] {
  const lines = Buffer.from(bytes).toString("latin1").trim().split("\n");
  const areValues = lines.length > 1 && lines.every((line) => /^\{.*\}\s*$/.test(line));
  const values = areValues ? lines.map((line) => Buffer.from(line, "latin1")) : [bytes];
  try {
    return values.flatMap((value) => read(parseJson(value)));
  } catch (cause) {
    if (!(cause instanceof AttestationFormatError || cause instanceof VouchsafeError)) throw cause;
    throw new UsageError(`${file} cannot be read: ${cause.message}`, { cause });
  }
}

/** What the server says of its log. That it has no such entry or tree is an answer, and the one that receipts are kept for. */
function askedOf(client: Client): AskedLog {
  const served = servedBy(client);
  /** Receipts of one upload are of entries beside each other. */
  const bundles = new Map<string, Promise<readonly Uint8Array[]>>();
  return {
    async entry(index, treeSize) {
      const first = index - (index % TILE_WIDTH);
      const name = `${first}/${treeSize}`;
      const bundle = bundles.get(name) ?? asked(served.entries(first, treeSize));
      bundles.set(name, bundle);
      return (await bundle)[index - first] as Uint8Array;
    },
    async growth(from) {
      const { checkpoint, consistencyProof: hashes } = await asked(client.proveConsistency({ from }));
      if (typeof checkpoint === "string" && Array.isArray(hashes)) return { checkpoint, hashes };
      throw new ApiError("unexpected-answer", "The proof came without its checkpoint");
    },
  };
}

async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    if (!(cause instanceof ApiError) || cause.code !== "not-found") throw cause;
    throw new VouchsafeError("proof-invalid", `it answers "${cause.message}"`, { cause });
  }
}
