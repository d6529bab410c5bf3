import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../src/config.ts";
import { type App, createApp } from "../../src/http/app.ts";
import type { Caller, Role } from "../../src/services/caller.ts";
import type { Vouchsafe } from "../../src/services/context.ts";
import { openVouchsafe } from "../../src/services/open.ts";
import { createToken, type TokenRequest } from "../../src/services/tokens.ts";

/** The real service on a real database in a directory of its own, with its doors. */
export interface TestNode {
  readonly app: App;
  readonly v: Vouchsafe;
  /** Moves the node's clock forward, in milliseconds. */
  advance(milliseconds: number): void;
  /** A new token's text. */
  token(roles: readonly Role[], request?: Partial<TokenRequest>): Promise<string>;
  close(): Promise<void>;
}

export async function openNode(settings: Readonly<Record<string, string>> = {}): Promise<TestNode> {
  const dataDir = await mkdtemp(join(tmpdir(), "vouchsafe-http-"));
  let ahead = 0;
  const config = readConfig({
    VOUCHSAFE_DATA_DIR: dataDir,
    VOUCHSAFE_TUF: "off",
    LOG_LEVEL: "silent",
    PORT: "0",
    ...settings,
  });
  const v = await openVouchsafe(config, { clock: () => Date.now() + ahead });
  const app = await createApp(v);
  const creator: Pick<Caller, "project"> = { project: v.project };
  return {
    app,
    v,
    advance(milliseconds) {
      ahead += milliseconds;
    },
    async token(roles, request = {}) {
      const { token } = await createToken(v, creator, { name: `test ${roles.join(" ")}`, roles, ...request });
      return token;
    },
    async close() {
      await app.close();
      await v.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
