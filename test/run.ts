/**
 * `npm test`: runs every `*.test.ts` under `test/` with node's own runner.
 *
 *   npm test                            everything
 *   npm test -- test/tlog               one folder or file
 *   npm test -- proofs                  every file whose path contains "proofs"
 *   npm test -- --name "two nodes"      the tests whose name matches the expression
 *
 * `VOUCHSAFE_LONG=1` has what takes too long for everybody's tests; `VOUCHSAFE_INTEROP=1` builds programs of others first.
 *
 * The closing lines are node's (`ℹ pass N` …); after them each skipped test is listed with its reason. The
 * exit code is 1 when a test failed and also when a file, or the whole run, held no test: that proves nothing.
 */
import { existsSync, globSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { parseArgs } from "node:util";
import { TEST_TIMEOUT_MS } from "./support/patience.ts";
import { inProcesses } from "./support/processes.ts";

/** One more than cores, as tests often wait; each process may hold an embedded database of some 600 MB. */
const CONCURRENCY = Math.min(4, availableParallelism() + 1);

/** From so many files on, what they would each have to start is started once beforehand. */
const MANY_FILES = 8;
const WORKLOADS = /\/workload\/[^/]*$/;
/** Folders whose files take long go first: begun last, one of them would run on alone. */
const LONG_FIRST = ["workload", "cli", "http", "services", "differential"];

const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  console.error(`The tests need Node 24 or newer; this is ${process.version}.`);
  console.error(
    "`npm ci` brings Node 24 for Linux on x64 and arm64; elsewhere install it: https://nodejs.org/",
  );
  process.exit(1);
}

const { values: options, positionals: wanted } = parseArgs({
  options: { name: { type: "string", multiple: true } },
  allowPositionals: true,
});
const files = selectFiles(wanted);
if (files.length === 0) {
  console.error(`No test file matches ${wanted.join(", ") || "test/**/*.test.ts"}.`);
  process.exit(1);
}

// What one process has compiled the next need not: it is a tenth of the whole.
const scratch = mkdtempSync(join(tmpdir(), "vouchsafe-tests-"));
process.once("exit", () => rmSync(scratch, { recursive: true, force: true }));
process.env.NODE_COMPILE_CACHE ??= join(scratch, "compiled");

const giveBack = files.length < MANY_FILES ? async () => {} : await prepare();

const skipped: string[] = [];
const silent = new Set(files);
let ran = 0;

const results = run({
  files: inProcesses(files, scratch),
  concurrency: CONCURRENCY,
  execArgv: [
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    `--import=${new URL("support/watchdog.ts", import.meta.url)}`,
  ],
  ...(options.name === undefined ? {} : { testNamePatterns: options.name.map((name) => new RegExp(name)) }),
});
results.on("test:pass", ({ name, file, nesting, skip, details }) => {
  // Node reports a file that defines no test as one passed test that bears the file's path.
  if (nesting === 0 && file !== undefined && resolve(name) === file) return;
  silent.delete(file ?? "");
  // A suite that is skipped stands for its tests, of which nobody tells.
  if (skip === undefined || skip === false) ran += details.type === "suite" ? 0 : 1;
  else skipped.push(`${relative("", file ?? "")}: ${name}: ${skip === true ? "no reason given" : skip}`);
});
results.on("test:fail", ({ file }) => {
  silent.delete(file ?? "");
  ran += 1;
  process.exitCode = 1;
});

for await (const line of results.compose(spec)) process.stdout.write(line);
await giveBack();

if (skipped.length > 0) console.log(`\nSkipped (${skipped.length}):\n  ${skipped.sort().join("\n  ")}`);
if (silent.size > 0 && options.name === undefined) {
  const paths = [...silent].map((file) => relative("", file)).sort();
  console.error(`\nFiles of which no test was told:\n  ${paths.join("\n  ")}`);
  process.exitCode = 1;
}
if (ran === 0) {
  console.error("\nNo test ran.");
  process.exitCode = 1;
}

/** What many files would each make: databases, and an executable for workloads. Imported after Node's version was seen. */
async function prepare(): Promise<() => Promise<void>> {
  const [{ sharePostgres }, { makeEmptyDatabase }, { makeExecutable }] = await Promise.all([
    import("./support/postgres.ts"),
    import("./support/empty-database.ts"),
    import("./workload/executable.ts"),
  ]);
  const haveWorkloads = process.platform === "linux" && files.some((path) => WORKLOADS.test(path));
  const [giveBack] = await Promise.all([
    sharePostgres(),
    makeEmptyDatabase(),
    haveWorkloads && makeExecutable(),
  ]);
  return giveBack;
}

/** The files that the arguments name; all of `test/` when there are none. */
function selectFiles(args: readonly string[]): string[] {
  const all = globSync("test/**/*.test.ts").map((path) => resolve(path));
  if (args.length === 0) return longFirst(all);
  const chosen = args.flatMap((arg) => {
    if (!existsSync(arg)) return all.filter((path) => relative("", path).includes(arg));
    return statSync(arg).isDirectory()
      ? globSync("**/*.test.ts", { cwd: arg }).map((path) => resolve(join(arg, path)))
      : [resolve(arg)];
  });
  return longFirst([...new Set(chosen)]);
}

function longFirst(paths: readonly string[]): string[] {
  const rank = (path: string) => {
    const at = LONG_FIRST.indexOf(relative("test", path).split("/", 1)[0] ?? "");
    return at < 0 ? LONG_FIRST.length : at;
  };
  return paths.toSorted().sort((a, b) => rank(a) - rank(b));
}
