import { hash } from "node:crypto";
import { rmSync } from "node:fs";
import { appendFile, copyFile, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { digestOf } from "../../src/in-toto-attestation/digest.ts";
import type { Digest } from "../../src/in-toto-attestation/types.ts";
import { buildSingleExecutable } from "../support/single-executable.ts";

/** A program that is an executable of its own and no interpreter, made of this Node. */
export interface Executable {
  readonly path: string;
  readonly digest: Digest;
}

/** Names the executable to copy, for this process and those that it starts. */
const VARIABLE = "VOUCHSAFE_TEST_EXECUTABLE";

/** Builds it for the tests of this run, as that takes seconds. It is gone when this process ends. */
export async function makeExecutable(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-executable-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  process.env[VARIABLE] = (await buildExecutable(directory)).path;
}

/**
 * A single-executable application that runs the script named by its first argument. An operator would be wrong to
 * approve such a one; for the tests it stands for any compiled program.
 */
export async function buildExecutable(directory: string): Promise<Executable> {
  const path = join(directory, "widget");
  const made = process.env[VARIABLE];
  if (made !== undefined) await copyFile(made, path);
  else {
    await writeFile(
      `${path}.cjs`,
      'process.argv.splice(1, 1); require("node:module").createRequire(process.argv[1])(process.argv[1]);',
    );
    await buildSingleExecutable(`${path}.cjs`, path);
  }
  return { path, digest: await digestOfFile(path) };
}

/** The same program with a few bytes more, which are its name. */
export async function tamperedCopy({ path }: Executable, name: string): Promise<Executable> {
  const copy = join(dirname(path), name);
  await copyFile(path, copy);
  await appendFile(copy, name);
  return { path: copy, digest: await digestOfFile(copy) };
}

async function digestOfFile(path: string): Promise<Digest> {
  return digestOf("sha256", hash("sha256", await readFile(path)));
}
