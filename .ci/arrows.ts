/**
 * `node .ci/arrows.ts`: holds `src/` to the arrows of `.ci/arrows-table.ts` and `.ci/rooms-table.ts`, and every file to a length that
 * can be read in one sitting. Prints each breach as `file:line: what is wrong` and exits 1 when there is one.
 */
import { globSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { ARROWS, GENERATED, LONG_LINES, MAX_LINES, PACKAGES, RESERVED_NAMES } from "./arrows-table.ts";
import { type Import, importsOf, type Token, tokenize } from "./imports.ts";
import { IMPURE, IMPURE_NAMES, PURE, PURE_BUILTINS } from "./purity-table.ts";
import { ROOMS } from "./rooms-table.ts";

export interface Breach {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** Path from the repository's root, with forward slashes, to text. */
export type Sources = ReadonlyMap<string, string>;

const LAW: ReadonlyMap<string, readonly string[]> = new Map([...ARROWS, ...ROOMS]);

/** Every breach in `src/`. `dependencies` are the package names that package.json installs with ours. */
export function checkArrows(sources: Sources, dependencies: readonly string[], arrows = LAW): Breach[] {
  const breaches: Breach[] = [];
  const folderEdges = new Map<string, Set<string>>();
  const used = new Set<string>();

  for (const [file, text] of sources) {
    if (!file.startsWith("src/")) continue;
    const report = (line: number, message: string) => breaches.push({ file, line, message });
    const path = file.slice("src/".length);
    const folder = folderOf(path);
    const room = roomOf(path, arrows);
    const lawless = [folder, room].find((place) => place !== undefined && !arrows.has(place));
    if (lawless !== undefined) {
      report(1, `${lawless} has no row in .ci/${lawless === room ? "rooms" : "arrows"}-table.ts`);
      continue;
    }
    let tokens: Token[];
    let imports: Import[];
    try {
      tokens = tokenize(text);
      imports = importsOf(tokens);
    } catch (error) {
      report(1, (error as Error).message);
      continue;
    }
    for (const { specifier, names, line } of imports) {
      if (specifier.startsWith(".")) {
        const target = posix.join(posix.dirname(file), specifier);
        if (!sources.has(target) || !target.startsWith("src/")) {
          report(line, `${specifier} is no file of src/`);
          continue;
        }
        const targetPath = target.slice("src/".length);
        const targetFolder = folderOf(targetPath);
        const [from, to] =
          targetFolder === folder ? [room, roomOf(targetPath, arrows)] : [folder, targetFolder];
        if (from === undefined || to === undefined || from === to) continue;
        if (!covers(arrows.get(from) ?? [], targetPath)) report(line, `${from} may not import ${targetPath}`);
        folderEdges.set(from, (folderEdges.get(from) ?? new Set()).add(to));
      } else if (specifier.startsWith("node:")) {
        if (isPure(path)) checkBuiltin(specifier, names, (message) => report(line, message));
      } else {
        const name = packageOf(specifier);
        used.add(name);
        const folders = PACKAGES.get(name) ?? PACKAGES.get(`${name.split("/")[0]}/*`);
        if (folders === undefined) report(line, `${name} has no row in .ci/arrows-table.ts`);
        else if (!folders.includes(folder)) report(line, `${folder} may not import ${name}`);
        if (!dependencies.includes(name)) report(line, `${name} is not among package.json's dependencies`);
      }
    }
    checkNames(tokens, path, report);
  }
  for (const cycle of cyclesOf(folderEdges)) {
    breaches.push({
      file: `src/${cycle[0]}`,
      line: 1,
      message: `folders import in a circle: ${cycle.join(" → ")}`,
    });
  }
  for (const name of dependencies.filter((dependency) => !used.has(dependency))) {
    breaches.push({
      file: "package.json",
      line: 1,
      message: `${name} is a dependency that nothing in src/ imports`,
    });
  }
  return breaches;
}

/** Files longer than `MAX_LINES` as breaches, and those over `LONG_LINES` for notice; generated ones as neither. */
export function checkLengths(sources: Sources): { breaches: Breach[]; long: string[] } {
  const breaches: Breach[] = [];
  const long: string[] = [];
  for (const [file, text] of sources) {
    if (GENERATED.includes(file)) continue;
    const lines = text.trimEnd().split("\n").length;
    if (lines > MAX_LINES) {
      breaches.push({ file, line: lines, message: `${lines} lines; ${MAX_LINES} is the most` });
    } else if (lines > LONG_LINES) long.push(`${file} (${lines} lines)`);
  }
  return { breaches, long };
}

/** Platform names in pure files, and reserved names outside their folder. */
function checkNames(
  tokens: readonly Token[],
  path: string,
  report: (line: number, message: string) => void,
): void {
  const pure = isPure(path);
  for (const [index, { kind, text, line }] of tokens.entries()) {
    if (kind !== "word") continue;
    const home = RESERVED_NAMES.get(text);
    if (home !== undefined && folderOf(path) !== home) report(line, `${text} belongs to ${home}/ alone`);
    if (!pure || tokens[index - 1]?.text === ".") continue;
    const after = tokens.slice(index + 1, index + 3).map((token) => token.text);
    if (IMPURE_NAMES.has(text)) report(line, `pure code may not use ${text}`);
    if (text === "Math" && after.join("") === ".random") report(line, "pure code may not use Math.random");
    if (text === "Date" && readsClock(tokens[index - 1], after))
      report(line, "pure code may not read the clock");
  }
}

/** `Date.now`, `Date()`, `new Date` and `new Date()`; a date made of arguments is fine. */
function readsClock(before: Token | undefined, after: readonly string[]): boolean {
  if (after[0] === "." && after[1] === "now") return true;
  if (before?.text === "new") return after[0] !== "(" || after[1] === ")";
  return after[0] === "(";
}

function checkBuiltin(specifier: string, names: readonly string[], report: (message: string) => void): void {
  const impure = PURE_BUILTINS.get(specifier);
  if (impure === undefined) report(`pure code may not import ${specifier}`);
  for (const name of names) {
    if (impure?.has(name)) report(`pure code may not import ${name} of ${specifier}`);
  }
}

/** The circles in a graph of folders, each as the folders in order with the first repeated at the end. */
function cyclesOf(edges: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]) => {
    const seen = path.indexOf(node);
    if (seen >= 0) cycles.push([...path.slice(seen), node]);
    if (seen >= 0 || done.has(node)) return;
    for (const next of edges.get(node) ?? []) visit(next, [...path, node]);
    done.add(node);
  };
  for (const node of edges.keys()) visit(node, []);
  return cycles;
}

function folderOf(path: string): string {
  return path.split("/")[0] ?? path;
}

/** The folder within its folder that a file is in, as `services/log`, where that folder's rooms are in the table. */
function roomOf(path: string, arrows: ReadonlyMap<string, unknown>): string | undefined {
  const [folder, room, file] = path.split("/");
  const hasRooms = [...arrows.keys()].some((row) => row.startsWith(`${folder}/`));
  return hasRooms && file !== undefined ? `${folder}/${room}` : undefined;
}

/** Whether a file is one of the entries, or in a folder or room that is one. */
function covers(entries: readonly string[], path: string): boolean {
  return entries.some((entry) => path === entry || path.startsWith(`${entry}/`));
}

function isPure(path: string): boolean {
  return covers(PURE, path) && !IMPURE.includes(path);
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function main(): void {
  const files = globSync(["{src,test,bench,testdata,.ci}/**/*.ts"])
    .map((file) => file.replaceAll("\\", "/"))
    .sort();
  const sources: Sources = new Map(files.map((file) => [file, readFileSync(file, "utf8")]));
  const { dependencies } = JSON.parse(readFileSync("package.json", "utf8")) as { dependencies: object };
  const { breaches, long } = checkLengths(sources);
  breaches.push(...checkArrows(sources, Object.keys(dependencies)));

  if (long.length > 0)
    console.log(`Over ${LONG_LINES} lines (${MAX_LINES} is the most):\n  ${long.join("\n  ")}`);
  for (const { file, line, message } of breaches) console.error(`${file}:${line}: ${message}`);
  console.log(`${files.length} files, ${breaches.length} breaches of the arrows.`);
  if (breaches.length > 0) process.exitCode = 1;
}

if (import.meta.main) main();
