import { execFile } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

const MAIN = join(process.cwd(), "src/cli/main.ts");

/** A shell of a CI job, in which `vouchsafe` is this checkout's and `npm` installs nothing. */
export async function runShell(
  script: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly said: string }> {
  const bin = join(cwd, ".bin");
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, "vouchsafe"), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  await writeFile(join(bin, "npm"), "#!/bin/sh\n");
  for (const name of ["vouchsafe", "npm"]) await chmod(join(bin, name), 0o755);
  return new Promise((resolve) => {
    const options = { cwd, env: { PATH: `${bin}:${process.env.PATH}`, ...env } };
    execFile("sh", ["-ec", script], options, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code), said: `${stdout}${stderr}` }),
    );
  });
}

/** The job that GitLab makes of the component and its inputs (docs.gitlab.com, "CI/CD inputs"). */
export async function gitLabJob(given: Readonly<Record<string, string>>) {
  const text = await readFile("templates/vouchsafe.yml", "utf8");
  const [header, body] = parseAllDocuments(text);
  const inputs: Readonly<Record<string, { readonly default?: string }>> = header?.toJS().spec.inputs;
  for (const name of Object.keys(given)) if (!inputs[name]) throw new Error(`no such input: ${name}`);
  const written = JSON.stringify(body?.toJS()).replace(/\$\[\[ inputs\.(\w+) \]\]/g, (_, name) => {
    const value = given[name] ?? inputs[name]?.default;
    if (value === undefined) throw new Error(`the input ${name} is missing`);
    return JSON.stringify(value).slice(1, -1);
  });
  const [job] = Object.values<{
    readonly id_tokens: Readonly<Record<string, { readonly aud: string }>>;
    readonly variables: Readonly<Record<string, string>>;
    readonly script: readonly string[];
  }>(JSON.parse(written));
  if (job === undefined) throw new Error("the component has no job");
  return job;
}
