import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { codeOf } from "../../../src/workload/denied.ts";
import { parseForeignMounts } from "../../../src/workload/files/local-file-systems.ts";
import { openProcessRoot, type ProcessRoot } from "../../../src/workload/files/open-in-root.ts";
import { endWithParent } from "../../support/child.ts";

test("of several mounts at a path the last is on top, and odd names are what they are", () => {
  const mountinfo = [
    "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw",
    "28 27 0:25 / /data rw - nfs4 host:/data rw",
    "29 28 0:26 / /data rw,nosuid shared:1 master:2 - tmpfs none rw",
    "30 27 0:27 / /a\\040b rw - fuse.sshfs x rw",
    "31 27 0:28 / /both rw - xfs x rw",
    "32 31 0:29 / /both rw - 9p x rw",
    "",
  ].join("\n");
  assert.deepEqual([...parseForeignMounts(mountinfo)], ["/a b", "/both"]);
});

const canChroot = process.platform === "linux" && process.getuid?.() === 0 && hasPython();

describe("a process's own files", { skip: !canChroot && "only root can give a process another root" }, () => {
  let host: string;
  let child: ChildProcess;
  let root: ProcessRoot;

  before(async () => {
    host = await mkdtemp(join(tmpdir(), "vouchsafe-root-"));
    const inside = join(host, "inside");
    await mkdir(join(inside, "models/v1"), { recursive: true });
    await mkdir(join(inside, "tmp"));
    await writeFile(join(host, "secret"), "the host's");
    await writeFile(join(inside, "models/v1/weights"), "weights");
    await writeFile(join(inside, "secret"), "the container's");
    const links: [string, string][] = [
      ["models/current", "v1"],
      ["models/weights", "current/weights"],
      ["absolute", "/models/v1/weights"],
      ["models/v1/absolute", "/models/v1/weights"],
      ["up", "../../../../../../secret"],
      ["host", join(host, "secret")],
      ["fd", "/proc/self/root/secret"],
      ["loop", "loop"],
      ["chain", "models/../models/./current/../../absolute"],
    ];
    for (const [name, target] of links) await symlink(target, join(inside, name));
    execFileSync("mkfifo", [join(inside, "pipe")]);
    const program = "import os, sys, time; os.chroot(sys.argv[1]); print('in', flush=True); time.sleep(600)";
    child = spawn("python3", ["-c", program, inside], { stdio: ["ignore", "pipe", "inherit"] });
    endWithParent(child);
    assert.ok(child.stdout);
    await once(child.stdout, "data");
    root = await openProcessRoot(child.pid ?? 0);
  });
  after(async () => {
    await root?.close();
    child?.kill();
    await rm(host, { recursive: true, force: true });
  });

  async function contents(path: string): Promise<string> {
    await using file = await root.openFile(path);
    return file.readFile("utf8");
  }

  for (const [path, expected] of [
    ["/models/v1/weights", "weights"],
    ["/models/weights", "weights"],
    ["/absolute", "weights"],
    ["/models/v1/absolute", "weights"],
    ["/chain", "weights"],
    ["/up", "the container's"],
    ["/../../secret", "the container's"],
  ] as const) {
    test(`${path} is read within the root`, async () => assert.equal(await contents(path), expected));
  }
  for (const [path, code] of [
    ["/host", "file-missing"],
    ["/fd", "file-missing"],
    ["/loop", "file-missing"],
    ["/models/none", "file-missing"],
    ["/secret/below", "file-missing"],
    ["/models", "file-not-regular"],
    ["/", "file-not-regular"],
    ["/pipe", "file-not-regular"],
  ] as const) {
    test(`${path} is refused: ${code}`, async () => {
      await assert.rejects(contents(path), (error) => codeOf(error) === code);
    });
  }

  test("a directory's names are told, and no more of them than are asked for", async () => {
    assert.deepEqual(await root.namesIn("/models", (name) => name !== "v1", 8), ["current", "weights"]);
    await assert.rejects(
      root.namesIn("/models", () => true, 2),
      (error) => codeOf(error) === "files-too-many",
    );
    await assert.rejects(
      root.namesIn("/secret", () => true, 2),
      (error) => codeOf(error) === "file-unreadable",
    );
  });
});

describe("files that are no files", { skip: process.platform !== "linux" && "only Linux has /proc" }, () => {
  test("a socket is not opened, nor what the kernel makes up", async () => {
    const directory = await mkdtemp(join(tmpdir(), "vouchsafe-files-"));
    const server = createServer().listen(join(directory, "socket"));
    await once(server, "listening");
    const root = await openProcessRoot(process.pid);
    try {
      for (const [path, code] of [
        [join(directory, "socket"), "file-not-regular"],
        ["/proc/version", "file-not-local"],
        ["/dev/null", "file-not-local"],
      ] as const) {
        await assert.rejects(root.openFile(path), (error) => codeOf(error) === code, path);
      }
    } finally {
      await root.close();
      server.close();
      await rm(directory, { recursive: true, force: true });
    }
  });
});

function hasPython(): boolean {
  try {
    execFileSync("python3", ["-c", ""]);
    return true;
  } catch {
    return false;
  }
}
