import { rmSync } from "node:fs";
import { cp, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "../../src/db/connection.ts";

/** Names the data directory to copy, for this process and those that it starts. */
const VARIABLE = "VOUCHSAFE_TEST_EMPTY_DATABASE";

/**
 * Makes an embedded database, brought up to date and empty, for the tests of this run to copy: making one takes a
 * processor seconds, copying it does not. It is gone when this process ends.
 */
export async function makeEmptyDatabase(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), "vouchsafe-empty-"));
  process.once("exit", () => rmSync(dataDir, { recursive: true, force: true }));
  const database = await openDatabase({ dataDir });
  await database.close();
  process.env[VARIABLE] = dataDir;
}

/** Copies it into a node's data directory. Where there is none to copy, the node makes its own. */
export async function copyEmptyDatabase(dataDir: string): Promise<void> {
  const made = process.env[VARIABLE];
  if (made !== undefined) await cp(join(made, "pglite"), join(dataDir, "pglite"), { recursive: true });
}
