import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { parse } from "yaml";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** action.yml, as far as the runner goes by it. */
export interface ActionFile {
  readonly inputs: Readonly<Record<string, { readonly required?: boolean; readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, object>>;
  readonly runs: { readonly using: string; readonly main: string };
}

export async function readAction(): Promise<ActionFile> {
  return parse(await readFile(join(ROOT, "action.yml"), "utf8"));
}

/** What a step left behind. */
export interface StepEnded {
  readonly succeeded: boolean;
  readonly log: string;
  readonly outputs: ReadonlyMap<string, string>;
  readonly summary: string;
}

/** The action as a release holds it, with the runner's part played here. */
export interface Step {
  readonly workspace: string;
  write(name: string, content: string | Uint8Array): Promise<void>;
  /** Runs the step with these inputs under `with:`, in a job with this environment. */
  run(
    inputs: Readonly<Record<string, string>>,
    job?: Readonly<Record<string, string>>,
    /** Told the log so far, as it grows. */
    onLog?: (log: string) => void,
  ): Promise<StepEnded>;
  close(): Promise<void>;
}

/** Bundles the action as `npm run build:action` does, and lends a workspace to run it in. */
export async function openStep(): Promise<Step> {
  const { inputs: known, runs } = await readAction();
  const scratch = await mkdtemp(join(tmpdir(), "vouchsafe-action-"));
  const workspace = await mkdtemp(join(tmpdir(), "vouchsafe-workspace-"));
  const main = join(scratch, runs.main);
  await build({
    entryPoints: [join(ROOT, "src/action/main.ts")],
    outfile: main,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
  });
  return {
    workspace,
    write: (name, content) => writeFile(join(workspace, name), content),
    async run(inputs, job = {}, onLog = () => {}) {
      const files = { GITHUB_OUTPUT: join(scratch, "output"), GITHUB_STEP_SUMMARY: join(scratch, "summary") };
      for (const file of Object.values(files)) await writeFile(file, "");
      const variables = Object.entries(known).map(([name, { default: otherwise = "" }]) => [
        `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`,
        inputs[name] ?? otherwise,
      ]);
      const { PATH, NODE_COMPILE_CACHE } = process.env;
      const env = { PATH, NODE_COMPILE_CACHE, ...files, ...Object.fromEntries(variables), ...job };
      const { status, log } = await runNode(main, workspace, env, onLog);
      return {
        succeeded: status === 0,
        log,
        outputs: readOutputs(await readFile(files.GITHUB_OUTPUT, "utf8")),
        summary: await readFile(files.GITHUB_STEP_SUMMARY, "utf8"),
      };
    },
    async close() {
      await rm(scratch, { recursive: true });
      await rm(workspace, { recursive: true });
    },
  };
}

function runNode(
  main: string,
  cwd: string,
  env: NodeJS.ProcessEnv,
  onLog: (log: string) => void,
): Promise<{ status: number; log: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let log = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text) => {
        log += text;
        onLog(log);
      });
    }
    child.once("error", reject);
    child.once("close", (status) => resolve({ status: status ?? -1, log }));
  });
}

/** As the runner reads the file: `NAME<<DELIMITER`, lines up to the delimiter. Throws for anything else. */
export function readOutputs(text: string): Map<string, string> {
  const outputs = new Map<string, string>();
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (line === "") continue;
    const [, name, delimiter] = /^([^=]+?)<<(.+)$/.exec(line) ?? [];
    if (name === undefined || delimiter === undefined) throw new Error(`no output: ${line}`);
    const end = lines.indexOf(delimiter, at + 1);
    if (end === -1) throw new Error(`the output ${name} has no end`);
    outputs.set(name, lines.slice(at + 1, end).join("\n"));
    at = end;
  }
  return outputs;
}

/** The commands that the runner would take from a log: by `::` at a line's start or `##[` anywhere (actions/runner, ActionCommand). */
export function commandsIn(log: string): string[] {
  return log.split(/\r?\n|\r/).filter((line) => /^\s*::/.test(line) || line.includes("##["));
}
