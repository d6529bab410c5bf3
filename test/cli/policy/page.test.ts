import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { assertEnded, vouchsafe } from "../vouchsafe.ts";

let directory: string;
const path = (name: string) => join(directory, name);
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-page-"));
});
after(() => rm(directory, { recursive: true, force: true }));

describe("docs/policy.md", () => {
  /** What the page shows below a command, where it is what is said of the example as it stands or changed. */
  test("shows what is said of its first example, and of its test", async () => {
    const page = await readFile("docs/policy.md", "utf8");
    const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = ""]) => text);
    const [policy = ""] = examples;
    await mkdir(path("documented/policies"), { recursive: true });
    await writeFile(
      path("documented/policies/release.test.yaml"),
      examples.find((text) => text.includes("kind: PolicyTest")) ?? "",
    );
    const shows = async (text: string, status: number, ...args: string[]) => {
      await writeFile(path("documented/policies/release.yaml"), text);
      const { status: ended, stdout, stderr } = await vouchsafe(args, { cwd: path("documented") });
      const said = args[1] === "lint" ? stderr : stdout;
      assert.equal(ended, status, stdout + stderr);
      assert.ok(page.includes(`$ vouchsafe ${args.join(" ")}\n${said}\`\`\``), `the page shows:\n${said}`);
    };
    await shows(policy, 0, "policy", "test");
    await shows(policy.replace("  maxAge: 365d\n", ""), 1, "policy", "test");
    await shows(policy, 0, "policy", "explain", "app-release");
    await shows(
      policy.replace(/identity: .*/, "identity: https://github.com/**"),
      0,
      "policy",
      "lint",
      "policies",
    );
  });

  test("three typos in turn, each pointed at, as docs/policy.md shows them", async () => {
    const page = await readFile("docs/policy.md", "utf8");
    const example = /^```yaml\n(.*?)^```$/ms.exec(page)?.[1] ?? "";
    const typos: readonly (readonly [string, string, string])[] = [
      ["issuer:", "isuer:", "unknown key `isuer`: did you mean `issuer`?"],
      ["release.yml@refs/tags/v*", "release.yml@refs/tags/v[0-9]*", "bad glob: `[` is no wildcard here"],
      [
        "signer.claims.runnerEnvironment ==",
        "signer.claims.runnerEnviroment ==",
        "bad CEL: unknown key `runnerEnviroment`: did you mean `runnerEnvironment`?",
      ],
    ];
    await mkdir(path("typos"));
    await writeFile(path("typos/release.yaml"), example);
    const lint = () => vouchsafe(["policy", "lint", "typos"], { cwd: directory });
    assertEnded(await lint(), 0, "stdout", /^ok app-release /);
    for (const [right, wrong, message] of typos) {
      const text = example.replace(right, wrong);
      assert.notEqual(text, example);
      await writeFile(path("typos/release.yaml"), text);
      const ended = await lint();
      assert.equal(ended.status, 1);
      const [said = "", line = "", caret = ""] = ended.stderr.split("\n");
      assert.ok(said.includes(message), said);
      assert.ok(page.includes(said), `docs/policy.md shows: ${said}`);
      // The caret stands below what is wrong.
      const [, place, column] = /^release\.yaml:(\d+):(\d+):/.exec(said) ?? [];
      assert.equal(line, `  ${text.split("\n")[Number(place) - 1]}`);
      assert.equal(caret.indexOf("^"), Number(column) + 1);
      assert.ok(page.includes(`${said}\n${line}\n${caret}`), "docs/policy.md shows its place");
    }
  });
});
