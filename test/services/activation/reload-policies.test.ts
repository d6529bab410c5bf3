import assert from "node:assert/strict";
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { PROJECT_CHAIN } from "../../../src/custody/events.ts";
import { readChain } from "../../../src/db/log.ts";
import { activatePolicies, readPolicies } from "../../../src/services/activation/activate-policies.ts";
import { readPolicyFiles } from "../../../src/services/activation/policy-directory.ts";
import { reloadPolicies } from "../../../src/services/activation/reload-policies.ts";
import type { TestNode } from "../../http/node.ts";
import { RELEASE_POLICY } from "../../http/release.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../release-node.ts";

function edition(description: string): string {
  return RELEASE_POLICY.replace("name: release\n", `name: release\n  description: ${description}\n`);
}

describe("two nodes, each with a policy directory of its own", () => {
  let postgres: TestPostgres;
  let house: ReleaseHouse;
  let root: string;
  let a: TestNode;
  let b: TestNode;

  before(async () => {
    postgres = await createPostgres();
    house = await openReleaseHouse(postgres);
    root = await mkdtemp(join(tmpdir(), "vouchsafe-reload-"));
    const open = async (name: string) => {
      await mkdir(join(root, name));
      await write(name, "first");
      return house.open({ VOUCHSAFE_POLICIES: join(root, name) });
    };
    a = await open("a");
    b = await open("b");
  });
  after(async () => {
    await house.close();
    await rm(root, { recursive: true, force: true });
    await postgres.drop();
    await stopPostgres();
  });

  const write = (directory: string, description: string) =>
    writeFile(join(root, directory, "release.yaml"), edition(description));
  const reload = async ({ v }: TestNode) => (await reloadPolicies(v)).outcome;
  const read = ({ v }: TestNode) => readPolicies(v, callerWith(a, ["operator"]));

  async function active(): Promise<string | undefined> {
    const { documents } = await read(a);
    return documents.map(({ text }) => /description: (.*)/.exec(text)?.[1]).join();
  }

  async function activations(): Promise<number> {
    const chain = await readChain(a.v.database.kysely, a.v.project, PROJECT_CHAIN);
    return chain.filter(({ type }) => type === "policy.activated").length;
  }

  /** As an operator does with the command line. */
  async function activate(description: string): Promise<void> {
    const { policySet: previous } = await read(a);
    const documents = [{ name: "release.yaml", text: edition(description) }];
    await activatePolicies(a.v, callerWith(a, ["operator"]), { documents, previous });
  }

  test("what has not changed is not activated, though the log has moved on", async () => {
    const before = await activations();
    assert.equal(await reload(a), "unchanged");
    await activate("by hand");
    assert.equal(await reload(a), "unchanged");
    assert.deepEqual([await active(), await activations()], ["by hand", before + 1]);
  });

  test("an edit is activated by the first node that has it, and known to the second", async () => {
    const before = await activations();
    await write("a", "second");
    await write("b", "second");
    assert.equal(await reload(a), "activated");
    assert.equal(await reload(b), "active");
    assert.deepEqual([await active(), await activations()], ["second", before + 1]);
    assert.equal((await read(b)).lastReload?.outcome, "active");
  });

  test("a node that gets an edit late does not take back what followed it", async () => {
    await write("a", "third");
    assert.equal(await reload(a), "activated");
    await write("a", "fourth");
    assert.equal(await reload(a), "activated");
    await write("b", "third");
    assert.equal(await reload(b), "superseded");
    assert.equal(await active(), "fourth");
    await write("b", "fourth");
    assert.equal(await reload(b), "active");
    // It is an edit like any other to go back to what was once in force.
    await write("b", "third");
    assert.equal(await reload(b), "activated");
    assert.equal(await active(), "third");
  });

  test("what an operator tried and took back by hand is an edit like any other when it comes", async () => {
    const before = String(await active());
    await activate("tried");
    await activate(before);
    await write("a", "tried");
    assert.equal(await reload(a), "activated");
  });

  test("what does not load, and what holds nothing, leaves everything as it was", async () => {
    const file = join(root, "a", "release.yaml");
    const before = await active();
    const refusals: readonly (readonly [() => Promise<void>, RegExp])[] = [
      [
        () => writeFile(file, `${edition("broken")}  rulez: []\n`),
        /release\.yaml:\d+:\d+: unknown key `rulez`/,
      ],
      [() => unlink(file), /There is no policy in/],
      [() => writeFile(file, "# nothing yet\n"), /There is no policy in/],
      [() => rm(join(root, "a"), { recursive: true }), /cannot be read/],
    ];
    for (const [edit, expected] of refusals) {
      await edit();
      const { outcome, problem } = await reloadPolicies(a.v);
      assert.equal(outcome, "refused");
      assert.match(problem?.message ?? "", expected);
      assert.equal(await active(), before);
    }
    assert.match((await read(a)).lastReload?.problem?.code ?? "", /^configuration-invalid$/);
    await mkdir(join(root, "a"));
    await write("a", "mended");
    assert.equal(await reload(a), "activated");
    assert.equal((await read(a)).lastReload?.problem, null);
  });

  test("of two who change policies at once one is refused, and may try again", async () => {
    await write("a", "from the directory");
    const slow = async () => {
      const files = await readPolicyFiles(join(root, "a"));
      await activate("by hand meanwhile");
      return files;
    };
    assert.equal((await reloadPolicies(a.v, slow)).problem?.code, "conflict");
    assert.equal(await active(), "by hand meanwhile");
    assert.equal(await reload(a), "activated");
  });

  test("a mounted ConfigMap, all links and swapped as a whole, is read", async () => {
    const mount = join(root, "b");
    const publish = async (version: string) => {
      await mkdir(join(mount, `..${version}`));
      await writeFile(join(mount, `..${version}`, "release.yaml"), edition(version));
      await symlink(`..${version}`, join(mount, "..data_tmp"));
      await rename(join(mount, "..data_tmp"), join(mount, "..data"));
    };
    await publish("2026-a");
    await unlink(join(mount, "release.yaml"));
    await symlink("..data/release.yaml", join(mount, "release.yaml"));
    assert.equal(await reload(b), "activated");
    await publish("2026-b");
    assert.equal(await reload(b), "activated");
    assert.equal(await active(), "2026-b");
  });
});
