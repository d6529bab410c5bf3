import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { parse } from "yaml";
import { loadPolicySet } from "../../src/policy/load.ts";
import { readAction } from "../action/step.ts";
import { RELEASE_POLICY } from "../http/release.ts";
import { actionsClaims } from "../sigstore/github-actions.ts";
import { startSigstore } from "../sigstore/instance.ts";
import { slsaProvenance } from "../sigstore/provenance.ts";
import { skipInterop } from "../support/interop.ts";

const run = promisify(execFile);

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly uses?: string;
  readonly steps?: readonly Step[];
  readonly "timeout-minutes"?: number;
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const FILES = globSync(".github/workflows/*.yml").sort();

/** What each job may do, and no more: whoever gives one more says it here too. */
const PERMISSIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "ci.yml": { check: "contents: read" },
  "release.yml": {
    check: "contents: read",
    package: "attestations: write, contents: read, id-token: write",
    verify: "contents: read",
    image: "attestations: write, contents: read, id-token: write, packages: write",
    publish: "contents: write, id-token: write",
    "verify-published": "contents: read",
  },
};

/** Events whose runs have secrets or a token that writes while what they run may be a stranger's. */
const DANGEROUS = ["pull_request_target", "workflow_run", "issue_comment"];

describe("workflows", () => {
  test("are those that are held to something here", () => {
    assert.deepEqual(
      FILES.map((file) => basename(file)),
      Object.keys(PERMISSIONS),
    );
  });

  for (const file of FILES) {
    const text = readFileSync(file, "utf8");
    const { on, permissions, jobs }: Workflow = parse(text);
    const steps = Object.values(jobs).flatMap(({ steps = [] }) => steps);

    test(`${file} asks for the permissions that were agreed`, () => {
      const asked = Object.entries(jobs).map(([name, job]) => [
        name,
        wordsOf(job.permissions ?? permissions),
      ]);
      assert.deepEqual(Object.fromEntries(asked), PERMISSIONS[basename(file)]);
      for (const level of Object.values(permissions)) assert.equal(level, "read");
    });

    test(`${file} runs on no event that a stranger steers`, () => {
      for (const event of DANGEROUS) assert.ok(!Object.hasOwn(on, event), event);
    });

    test(`${file} names each action by its commit, with the version beside it`, () => {
      const used = [...text.matchAll(/^\s*(?:- )?uses: (.*)$/gm)].map(([, what = ""]) => what);
      assert.equal(used.length, steps.filter(({ uses }) => uses).length + reusable(jobs));
      for (const what of used) {
        assert.match(
          what,
          /^(\.\/\.github\/workflows\/\w+\.yml|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/,
        );
      }
    });

    test(`${file} runs scripts that exist, and no text that a stranger chose`, () => {
      const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
      for (const { run: script = "" } of steps) {
        assert.doesNotMatch(
          script,
          /\$\{\{/,
          "what is in an expression becomes part of the script: use `env`",
        );
        for (const [path] of script.matchAll(/\.ci\/[\w-]+/g)) assert.ok(existsSync(path), path);
        for (const [, name = ""] of script.matchAll(/npm run ([\w:-]+)/g)) assert.ok(scripts[name], name);
      }
      for (const { uses = "" } of Object.values(jobs)) assert.ok(uses === "" || existsSync(uses), uses);
    });

    test(`${file} ends, and leaves no token in a checkout but where one pushes`, () => {
      for (const [name, job] of Object.entries(jobs)) {
        assert.ok(job.uses !== undefined || job["timeout-minutes"], `${name} has no time limit`);
        for (const { uses, with: given } of job.steps ?? []) {
          if (!uses?.startsWith("actions/checkout@") || wordsOf(job.permissions).includes("contents: write"))
            continue;
          assert.equal(given?.["persist-credentials"], false, name);
        }
      }
    });
  }

  test("pass actionlint", { skip: skipInterop("go"), timeout: 600_000 }, async (t) => {
    const directory = await scratch(t);
    const built = await run("go", ["install", "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"], {
      env: { ...process.env, GOBIN: directory },
    }).then(
      () => true,
      () => false,
    );
    if (!built) return t.skip("actionlint cannot be built here");
    await run(join(directory, "actionlint"), ["-no-color", ...FILES]);
  });
});

test("action.yml, the code and docs/github-action.md know the same inputs and outputs", async () => {
  const { inputs, outputs, runs } = await readAction();
  const page = readFileSync("docs/github-action.md", "utf8");
  const listed = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(listed.sort(), [...Object.keys(inputs), ...Object.keys(outputs)].sort());
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
  assert.ok(scripts["build:action"].includes(`--outfile=${runs.main}`));
});

test("the workflow of docs/github-action.md has 15 lines, and its last step fits the Action", async () => {
  const [, block = ""] =
    /^```yaml\n(on: .*?)^```$/ms.exec(readFileSync("docs/github-action.md", "utf8")) ?? [];
  assert.equal(block.trimEnd().split("\n").length, 15);
  const workflow: Workflow = parse(block);
  const { inputs } = await readAction();
  const [job] = Object.values(workflow.jobs);
  const step = job?.steps?.at(-1);
  assert.match(step?.uses ?? "", /^OWNER\/vouchsafe@action-v/);
  const given = Object.keys(step?.with ?? {});
  for (const name of given) assert.ok(inputs[name], name);
  for (const [name, { required }] of Object.entries(inputs))
    assert.ok(!required || given.includes(name), name);
  assert.equal(workflow.permissions["id-token"], "write");
});

test("the access policies of the pages about pipelines load", () => {
  for (const page of ["docs/github-action.md", "docs/gitlab.md"]) {
    const policies = [...readFileSync(page, "utf8").matchAll(/^```yaml\n(apiVersion: .*?)^```$/gms)];
    assert.equal(policies.length, 1, page);
    for (const [, text = ""] of policies) {
      loadPolicySet([
        { name: "release.yaml", text: RELEASE_POLICY },
        { name: page, text },
      ]);
    }
  }
});

/** As release.yml does with what it built: here a Sigstore instance on this machine signed it. */
test("a release is verified by its own workflow's identity and tag, each file of it", async (t) => {
  const directory = await scratch(t);
  const artifacts = ["vouchsafe-1.2.3.tgz", "action.mjs"].map((name) => ({ name, bytes: Buffer.from(name) }));
  for (const { name, bytes } of artifacts) await writeFile(join(directory, name), bytes);
  const claims = actionsClaims({ repository: "acme/vouchsafe", ref: "refs/tags/v1.2.3" });
  const sigstore = await startSigstore();
  t.after(() => sigstore.close());
  const bundle = await sigstore.signStatement(slsaProvenance(artifacts, claims), { claims });
  // With a line end, as actions/attest writes it.
  await writeFile(join(directory, "provenance.sigstore.json"), `${Buffer.from(bundle)}\n`);
  await writeFile(join(directory, "root.json"), JSON.stringify(sigstore.trustedRoot));
  const vouchsafe = join(directory, "vouchsafe");
  const root = join(directory, "root.json");
  const main = join(process.cwd(), "src/cli/main.ts");
  await writeFile(
    vouchsafe,
    `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@" --trusted-root '${root}'\n`,
  );
  const verify = (tag: string) =>
    run("bash", [".ci/verify-release", directory, "sh", vouchsafe], {
      env: {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
        GITHUB_SERVER_URL: "https://github.com",
        GITHUB_REPOSITORY: "acme/vouchsafe",
        GITHUB_REF_NAME: tag,
      },
    });

  const { stdout } = await verify("v1.2.3");
  for (const { name } of artifacts) assert.match(stdout, new RegExp(`^verified .*${name}$`, "m"));
  await assert.rejects(verify("v1.2.4"), { code: 1 });
  await rm(join(directory, "action.mjs"));
  await assert.rejects(verify("v1.2.3"), { code: 1 });
});

test("the Action's tag holds what it needs and nothing else", async (t) => {
  const directory = await scratch(t);
  const git = async (...args: string[]) => (await run("git", args, { cwd: directory })).stdout.trim();
  await git("init", "-q", "-b", "main");
  await run("cp", ["-r", ".ci", "action.yml", "LICENSE", "package.json", directory]);
  await git("add", "-A");
  await git("-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "release");
  await git("remote", "add", "origin", directory);
  await writeFile(join(directory, "built.mjs"), "built");
  await run("bash", [".ci/tag-action", "built.mjs"], {
    cwd: directory,
    env: { PATH: process.env.PATH, GITHUB_REF_NAME: "v1.2.3", GITHUB_SHA: await git("rev-parse", "HEAD") },
  });
  const held = await git("ls-tree", "-r", "--name-only", "action-v1.2.3");
  assert.deepEqual(held.split("\n"), ["LICENSE", "action.yml", (await readAction()).runs.main]);
  assert.equal(await git("show", "action-v1.2.3:dist/action.mjs"), "built");
  assert.equal(await git("show", "action-v1.2.3:action.yml"), (await readFile("action.yml", "utf8")).trim());
});

function wordsOf(permissions: Job["permissions"] = {}): string {
  return Object.entries(permissions)
    .map(([what, level]) => `${what}: ${level}`)
    .sort()
    .join(", ");
}

function reusable(jobs: Workflow["jobs"]): number {
  return Object.values(jobs).filter(({ uses }) => uses !== undefined).length;
}

async function scratch(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-workflows-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
