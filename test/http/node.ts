import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { readConfig } from "../../src/config/config.ts";
import { type App, createApp } from "../../src/http/app.ts";
import { closeDoors } from "../../src/http/drain.ts";
import type { Log } from "../../src/log.ts";
import { createToken, type TokenRequest } from "../../src/services/access/tokens.ts";
import type { Role } from "../../src/services/caller.ts";
import type { Vouchsafe } from "../../src/services/context.ts";
import { openVouchsafe } from "../../src/services/open.ts";
import type { Tracing } from "../../src/services/telemetry/tracing.ts";
import { copyEmptyDatabase } from "../support/empty-database.ts";
import { lendPostgres } from "../support/postgres.ts";

/** The real service with its doors, on a real database; it starts with no policies. */
export interface TestNode {
  readonly app: App;
  readonly v: Vouchsafe;
  /** Moves the node's clock forward, in milliseconds. */
  advance(milliseconds: number): void;
  /** A new token's text. */
  token(roles: readonly Role[], request?: Partial<TokenRequest>): Promise<string>;
  close(): Promise<void>;
}

/**
 * Gives the event loop a turn. Without sockets, and on a database in this process, calls follow one another
 * without any, and the node would rightly think itself overloaded.
 */
export const turn = setImmediate;

export interface NodeOptions {
  /** On the embedded database, whose start is most of a test's time, instead of a Postgres database. */
  readonly embedded?: boolean;
  /** What the node tells goes there. */
  readonly logger?: Log;
  readonly tracing?: Tracing | undefined;
}

/** @param settings environment variables; without DATABASE_URL, a database of its own */
export async function openNode(
  settings: Readonly<Record<string, string>> = {},
  { embedded = false, logger, tracing }: NodeOptions = {},
): Promise<TestNode> {
  const ownDir = await mkdtemp(join(tmpdir(), "vouchsafe-http-"));
  const policies = join(ownDir, "policies");
  await mkdir(policies);
  const ownDatabase = settings.DATABASE_URL === undefined && !embedded ? await lendPostgres() : undefined;
  if (embedded) await copyEmptyDatabase(join(ownDir, "data"));
  let ahead = 0;
  const config = readConfig({
    VOUCHSAFE_DATA_DIR: join(ownDir, "data"),
    VOUCHSAFE_POLICIES: policies,
    VOUCHSAFE_TUF: "off",
    LOG_LEVEL: "silent",
    PORT: "0",
    ...ownDatabase?.settings,
    ...settings,
  });
  const v = await openVouchsafe(config, {
    clock: () => Date.now() + ahead,
    tracing,
    ...(logger && { logger }),
  });
  const app = await createApp(v);
  return {
    app,
    v,
    advance(milliseconds) {
      ahead += milliseconds;
    },
    async token(roles, request = {}) {
      const name = `test ${roles.join(" ")}`;
      return (await createToken(v, { project: v.project }, { name, roles, ...request })).token;
    },
    async close() {
      await closeDoors(app);
      await v.close();
      await ownDatabase?.giveBack();
      await rm(ownDir, { recursive: true, force: true });
    },
  };
}
