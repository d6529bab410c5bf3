import { execFile } from "node:child_process";
import { copyFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
/** Where Node looks for an embedded program (nodejs.org/api/single-executable-applications.html). */
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

/**
 * Builds a CommonJS program into one executable file at `path`: this Node with the program in it. It takes no options
 * from the command line or the environment, so that it runs this program and no other: its digest names it.
 */
export async function buildSingleExecutable(main: string, path: string): Promise<void> {
  const settings = {
    main,
    output: `${path}.blob`,
    disableExperimentalSEAWarning: true,
    execArgvExtension: "none",
  };
  await writeFile(`${path}.json`, JSON.stringify(settings));
  await run(process.execPath, ["--experimental-sea-config", `${path}.json`]);
  await copyFile(process.execPath, path);
  const manifest = createRequire(import.meta.url).resolve("postject/package.json");
  const postject = join(dirname(manifest), "dist/cli.js");
  await run(process.execPath, [postject, path, "NODE_SEA_BLOB", `${path}.blob`, "--sentinel-fuse", FUSE]);
}
