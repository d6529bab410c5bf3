import { generateKeyPairSync, randomBytes } from "node:crypto";
import { join } from "node:path";
import { openAcknowledged } from "../../src/custody/acknowledged.ts";
import { INSTALLATION } from "../../src/custody/events.ts";
import { ensureLogCreated } from "../../src/custody/genesis.ts";
import { logSigners } from "../../src/custody/log-signers.ts";
import type { LogStore } from "../../src/custody/log-store.ts";
import { createWriter, type Writer, type WriterLimits } from "../../src/custody/writer.ts";
import type { Database } from "../../src/db/connection.ts";
import { readEvents } from "../../src/db/log.ts";
import { createLogStore } from "../../src/db/log-store.ts";
import { ed25519Signer, type NoteSigner } from "../../src/tlog/note.ts";

export function testSigner(): NoteSigner {
  return ed25519Signer("vouchsafe.test/log", generateKeyPairSync("ed25519").privateKey);
}

export interface LogNodeOptions {
  readonly database: Database;
  readonly dataDir: string;
  readonly signer: NoteSigner;
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
): Promise<{ writer: Writer; close(): Promise<void> }> {
  const { database, dataDir, signer, name = "node", store, limits, clock = Date.now } = options;
  const acknowledged = await openAcknowledged(join(dataDir, `${name}.acknowledged`), signer.name);
  const writer = createWriter({
    store: store ?? createLogStore(database),
    signers: logSigners(signer.name, [signer]),
    clock,
    random: randomBytes,
    acknowledged,
    ...(limits && { limits }),
  });
  const close = async () => {
    await writer.close();
    await acknowledged.close();
  };
  const readFirst = async () => (await readEvents(database.kysely, INSTALLATION, [0]))[0];
  await ensureLogCreated(writer, readFirst, signer).catch(async (error) => {
    await close();
    throw error;
  });
  return { writer, close };
}
