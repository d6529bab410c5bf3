import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { INSTALLATION, PROJECT_CHAIN } from "../custody/events.ts";
import { loadLogKey } from "../custody/log-keys/log-key.ts";
import { settleLogKeys } from "../custody/log-keys/settle.ts";
import { type LogSigners, logSigners } from "../custody/log-signers.ts";
import { openAcknowledged } from "../custody/writer/acknowledged.ts";
import { refuseFork } from "../custody/writer/consistency.ts";
import { createWriter } from "../custody/writer.ts";
import { readChain, readHead } from "../db/log.ts";
import { createLogStore } from "../db/log-store.ts";
import type { NoteSigner } from "../tlog/note.ts";
import type { Vouchsafe } from "./context.ts";
import { readWitnessPolicy } from "./witnessing/witness-policy.ts";
import { createWitnesses } from "./witnessing/witnessing.ts";

/** What a node appends to the log with. */
export interface OpenedLog extends Pick<Vouchsafe, "writer" | "witnesses" | "obstacles"> {
  readonly signers: LogSigners;
  close(): Promise<void>;
}

/**
 * Opens the log for appending: its keys loaded or made and brought to what is configured, and the head held to what
 * this node acknowledged and what the log's witnesses have seen.
 *
 * @throws VouchsafeError `configuration-invalid`, `log-inconsistent` for a log that went back or is another, `unavailable`
 */
export async function openLog({
  config,
  passphrase,
  database,
  clock,
  report,
  metrics,
  tracing,
}: Pick<Vouchsafe, "config" | "database" | "clock" | "report" | "metrics" | "tracing"> & {
  /** Of the log's keys; absent: they are plain. */
  readonly passphrase: string | undefined;
}): Promise<OpenedLog> {
  const acknowledged = await openAcknowledged(join(config.dataDir, "acknowledged"), config.origin);
  try {
    const store = createLogStore(database);
    const obstacles: Vouchsafe["obstacles"] = new Map();
    const requireGrowable = () => {
      for (const obstacle of obstacles.values()) if (obstacle.code === "log-inconsistent") throw obstacle;
    };
    const openWriter = (signers: LogSigners) =>
      createWriter({
        store,
        signers,
        clock,
        random: randomBytes,
        acknowledged,
        requireGrowable,
        observe: metrics.committed,
        ...(tracing !== undefined && {
          batches: {
            current: tracing.current,
            commit: (of, work) => tracing.batch("commit", of, work),
          },
        }),
      });

    const keys = await loadLogKeys(config, passphrase);
    const policy = await readWitnessPolicy(config);
    const witnesses = policy && createWitnesses(policy);
    // Before the first append: a database that was set back must not grow.
    await witnesses?.requireNoFork({ database, signers: logSigners(config.origin, keys), clock, report });
    const signers = await settleLogKeys(
      {
        readWide: () => readChain(database.kysely, INSTALLATION, PROJECT_CHAIN),
        readHead: () => readHead(database.kysely),
        openWriter,
      },
      { origin: config.origin, signers: keys, retires: config.retiresLogKey },
    );
    // Every append asks this again; but what a node only reads of a database that was set back is as wrong.
    await store.locked((log) => refuseFork(log, acknowledged.tree, signers));
    const writer = openWriter(signers);
    return {
      writer,
      witnesses,
      obstacles,
      signers,
      async close() {
        await writer.close();
        await acknowledged.close();
      },
    };
  } catch (error) {
    await acknowledged.close();
    throw error;
  }
}

function loadLogKeys(
  { logKeyFiles, dataDir, origin }: Config,
  passphrase: string | undefined,
): Promise<readonly NoteSigner[]> {
  const files = logKeyFiles.length > 0 ? logKeyFiles : [join(dataDir, "log-key.pem")];
  return Promise.all(files.map((file) => loadLogKey(file, origin, passphrase)));
}
