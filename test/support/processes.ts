import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { FILE_TIMEOUT_MS } from "./patience.ts";

/** Files whose tests look at all of their process, or fill it: they have one alone. */
const ALONE = /^(workload|interop|fuzz|differential|demo)\//;
/** More would hold more of what each has open. */
const MOST_FILES = 8;
/** Fewer would leave a core idle at the end. */
const FEWEST_PROCESSES = 40;

/**
 * Parts test files into processes: neighbours share one, as loading what is tested is a third of a test's time. Each is a suite there,
 * which its hooks are of. Files whose tests were to disturb each other are to be mended or to stand in `ALONE`.
 *
 * @param files in the order in which they are to run, absolute
 * @param scratch a directory for the modules that import what shares a process
 * @returns what node's runner is to start, a process each
 */
export function inProcesses(files: readonly string[], scratch: string): string[] {
  const most = Math.min(MOST_FILES, Math.ceil(files.length / FEWEST_PROCESSES));
  const isAlone = (file: string) => ALONE.test(relative("test", file));
  const groups: string[][] = [];
  for (const file of files) {
    const group = groups.at(-1) ?? [];
    if (group.length === 0 || group.length === most || [...group, file].some(isAlone)) groups.push([file]);
    else group.push(file);
  }
  return groups.map((group, at) => {
    if (group.length === 1) return group[0] as string;
    const module = join(scratch, `${at}.test.mjs`);
    writeFileSync(module, `import { suite } from "node:test";\n${group.map(suiteOf).join("")}`);
    return module;
  });
}

function suiteOf(file: string): string {
  const name = JSON.stringify(relative("", file));
  const url = JSON.stringify(pathToFileURL(file));
  return `suite(${name}, { timeout: ${FILE_TIMEOUT_MS} }, async () => {\n  await import(${url});\n});\n`;
}
