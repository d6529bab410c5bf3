import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readConfig } from "../../../src/config/config.ts";
import { authenticate, listTokens, revokeToken } from "../../../src/services/access/tokens.ts";
import type { Vouchsafe } from "../../../src/services/context.ts";
import { openVouchsafe } from "../../../src/services/open.ts";
import { copyEmptyDatabase } from "../../support/empty-database.ts";

const DAY = 24 * 60 * 60 * 1000;

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-operator-"));
  await copyEmptyDatabase(directory);
});
after(() => rm(directory, { recursive: true, force: true }));

/** Starts a node as of some days from now, and stops it when `use` is done with the token in its directory. */
async function start<T>(days: number, use: (v: Vouchsafe, token: string) => Promise<T>): Promise<T> {
  const config = readConfig({
    VOUCHSAFE_DATA_DIR: directory,
    VOUCHSAFE_POLICIES: "policies",
    VOUCHSAFE_TUF: "off",
  });
  const v = await openVouchsafe(config, { clock: () => Date.now() + days * DAY });
  try {
    return await use(v, (await readFile(join(directory, "operator-token"), "utf8")).trim());
  } finally {
    await v.close();
  }
}

test("an installation whose operators' tokens have all ended gets another at a restart, and only then", async () => {
  const first = await start(0, async (_v, token) => token);
  assert.equal(await start(29, async (_v, token) => token), first);

  const second = await start(31, async (v, token) => {
    assert.deepEqual((await authenticate(v, token, undefined)).caller.roles, ["operator"]);
    await assert.rejects(authenticate(v, first, undefined), { code: "unauthenticated" });
    const { caller } = await authenticate(v, token, undefined);
    await revokeToken(v, caller, caller.token);
    return token;
  });
  await start(32, async (v, token) => {
    assert.notEqual(token, second);
    assert.equal((await listTokens(v, (await authenticate(v, token, undefined)).caller)).length, 3);
  });
});
