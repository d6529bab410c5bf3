import { execFile } from "node:child_process";
import { chmod, copyFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const WORKLOAD = fileURLToPath(new URL("workload.cjs", import.meta.url));
/** Where Node looks for an embedded program (nodejs.org/api/single-executable-applications.html). */
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

/**
 * Builds the workload into one executable file: this Node with the program in it, which takes no options from the
 * command line or the environment, so that it runs this program and no other. Its digest names it.
 */
export async function buildExecutable(path: string): Promise<void> {
  const settings = {
    main: WORKLOAD,
    output: `${path}.blob`,
    disableExperimentalSEAWarning: true,
    execArgvExtension: "none",
  };
  await writeFile(`${path}.json`, JSON.stringify(settings));
  await run(process.execPath, ["--experimental-sea-config", `${path}.json`]);
  await copyFile(process.execPath, path);
  await chmod(path, 0o755);
  const postject = join(
    dirname(createRequire(import.meta.url).resolve("postject/package.json")),
    "dist/cli.js",
  );
  await run(process.execPath, [postject, path, "NODE_SEA_BLOB", `${path}.blob`, "--sentinel-fuse", FUSE]);
}
