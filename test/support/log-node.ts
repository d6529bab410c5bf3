import { generateKeyPairSync, randomBytes } from "node:crypto";
import { join } from "node:path";
import { INSTALLATION, PROJECT_CHAIN } from "../../src/custody/events.ts";
import { settleLogKeys } from "../../src/custody/log-keys/settle.ts";
import type { LogSigners } from "../../src/custody/log-signers.ts";
import type { LogStore } from "../../src/custody/log-store.ts";
import { openAcknowledged } from "../../src/custody/writer/acknowledged.ts";
import { createWriter, type Writer, type WriterLimits } from "../../src/custody/writer.ts";
import type { Database } from "../../src/db/connection.ts";
import { readChain, readHead } from "../../src/db/log.ts";
import { createLogStore } from "../../src/db/log-store.ts";
import { ed25519Signer, type NoteSigner } from "../../src/tlog/note.ts";

export function testSigner(): NoteSigner {
  return ed25519Signer("vouchsafe.test/log", generateKeyPairSync("ed25519").privateKey);
}

export interface LogNodeOptions {
  readonly database: Database;
  readonly dataDir: string;
  readonly signer: NoteSigner;
  /** Further keys that it is configured with. */
  readonly others?: readonly NoteSigner[];
  /** The key, `name+hash`, that it retires. */
  readonly retires?: string;
  /** Tells the nodes that share a data directory apart. */
  readonly name?: string;
  /** In place of the database's own, e.g. one that fails at a chosen step. */
  readonly store?: LogStore;
  readonly limits?: Partial<WriterLimits>;
  readonly clock?: () => number;
}

/** A writer with all that a node gives it, on a log that has its first event. */
export async function openLogNode(
  options: LogNodeOptions,
): Promise<{ writer: Writer; signers: LogSigners; close(): Promise<void> }> {
  const {
    database,
    dataDir,
    signer,
    others = [],
    retires,
    name = "node",
    store,
    limits,
    clock = Date.now,
  } = options;
  const acknowledged = await openAcknowledged(join(dataDir, `${name}.acknowledged`), signer.name);
  const openWriter = (signers: LogSigners) =>
    createWriter({
      store: store ?? createLogStore(database),
      signers,
      clock,
      random: randomBytes,
      acknowledged,
      ...(limits && { limits }),
    });
  const settling = settleLogKeys(
    {
      readWide: () => readChain(database.kysely, INSTALLATION, PROJECT_CHAIN),
      readHead: () => readHead(database.kysely),
      openWriter,
    },
    { origin: signer.name, signers: [signer, ...others], ...(retires && { retires }) },
  );
  const signers = await settling.catch(async (error) => {
    await acknowledged.close();
    throw error;
  });
  const writer = openWriter(signers);
  const close = async () => {
    await writer.close();
    await acknowledged.close();
  };
  return { writer, signers, close };
}
