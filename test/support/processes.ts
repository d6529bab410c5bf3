import { writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";

/** Files whose tests look at all of their process, or fill it: they have one alone. */
const ALONE = /^(workload|interop|fuzz|differential|demo)\//;
/** More would leave a core idle at the end, and hold more of what each has open. */
const MOST = 6;

/**
 * Parts test files into processes: neighbours share one, as loading what is tested is a third of a test's time. Files whose
 * tests were to disturb each other are to be mended or to stand in `ALONE`.
 *
 * @param files in the order in which they are to run, absolute
 * @param scratch a directory for the modules that import what shares a process
 * @returns what node's runner is to start, a process each
 */
export function inProcesses(files: readonly string[], scratch: string): string[] {
  const groups: string[][] = [];
  let last = "";
  for (const file of files) {
    const path = relative("test", file);
    const folder = ALONE.test(path) ? path : dirname(path);
    const group = groups.at(-1);
    if (group === undefined || folder !== last || group.length === MOST) groups.push([file]);
    else group.push(file);
    last = folder;
  }
  return groups.map((group, at) => {
    if (group.length === 1) return group[0] as string;
    const module = join(scratch, `${at}.test.mjs`);
    writeFileSync(module, group.map((file) => `import ${JSON.stringify(pathToFileURL(file))};\n`).join(""));
    return module;
  });
}
