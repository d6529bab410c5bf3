import { execFile } from "node:child_process";
import { hash } from "node:crypto";
import { appendFile, copyFile, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { digestOf } from "../../src/in-toto-attestation/digest.ts";
import type { Digest } from "../../src/in-toto-attestation/types.ts";

const run = promisify(execFile);
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

/** A program that is an executable of its own and no interpreter, made of this Node. */
export interface Executable {
  readonly path: string;
  readonly digest: Digest;
}

/**
 * A single-executable application that runs the script named by its first argument. An operator would be wrong to
 * approve such a one; for the tests it stands for any compiled program.
 */
export async function buildExecutable(directory: string): Promise<Executable> {
  const path = join(directory, "widget");
  await writeFile(
    `${path}.cjs`,
    'process.argv.splice(1, 1); require("node:module").createRequire(process.argv[1])(process.argv[1]);',
  );
  await writeFile(
    `${path}.json`,
    JSON.stringify({ main: `${path}.cjs`, output: `${path}.blob`, disableExperimentalSEAWarning: true }),
  );
  await run(process.execPath, ["--experimental-sea-config", `${path}.json`]);
  await copyFile(process.execPath, path);
  const postject = join(
    dirname(createRequire(import.meta.url).resolve("postject/package.json")),
    "dist",
    "cli.js",
  );
  await run(process.execPath, [postject, path, "NODE_SEA_BLOB", `${path}.blob`, "--sentinel-fuse", FUSE]);
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
