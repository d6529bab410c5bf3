import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFile,
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createExecutableReader, executableState } from "../../src/workload/executable.ts";
import { createMarkerSearch, interpreterNamed } from "../../src/workload/interpreters.ts";
import { parseCgroups, parseStartTime, readProcessStatus } from "../../src/workload/process-status.ts";
import { startProgram } from "./run-workload.ts";

describe("interpreters by name", () => {
  for (const name of [
    "node",
    "nodejs",
    "python3",
    "python3.12",
    "python3.13t",
    "Python",
    "pypy3.10",
    "perl5.36.0",
    "ruby3.3",
    "lua5.4",
    "tclsh8.6",
    "php-fpm8.2",
    "bash",
    "sh",
    "dash",
    "busybox",
    "java",
    "env",
    "ld-linux-x86-64.so.2",
    "ld-musl-x86_64.so.1",
    "ld.so",
    "qemu-x86_64",
  ]) {
    test(`${name} is one`, () => assert.notEqual(interpreterNamed(name), undefined));
  }
  for (const name of [
    "widget",
    "nodekeeper",
    "pythonic",
    "sha256sum",
    "environment",
    "shell",
    "ldap.so",
    "7z",
  ]) {
    test(`${name} is none`, () => assert.equal(interpreterNamed(name), undefined));
  }
});

test("a marker is found wherever the pieces that it comes in are cut", () => {
  const marker = Buffer.from("NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:0");
  const file = Buffer.concat([Buffer.alloc(100), marker, Buffer.alloc(100)]);
  for (let cut = 0; cut <= file.length; cut += 1) {
    const search = createMarkerSearch();
    search.update(file.subarray(0, cut));
    search.update(file.subarray(cut));
    assert.equal(search.found(), "Node.js");
  }
  const bytewise = createMarkerSearch();
  for (const byte of file) bytewise.update(Buffer.of(byte));
  assert.equal(bytewise.found(), "Node.js");
  const application = createMarkerSearch();
  application.update(Buffer.from(marker.toString().replace(":0", ":1")));
  assert.equal(application.found(), undefined);
});

describe("what /proc says", () => {
  test("a program's name cannot pretend to be the fields after it", () => {
    const after = Array.from({ length: 50 }, (_, index) => `${index + 3}`).join(" ");
    assert.equal(parseStartTime(`7 (a) S 1 2 (x) ${after}`), "22");
    assert.throws(() => parseStartTime("7 (a) S 1"), { code: "identity-denied" });
  });

  test("cgroups of both versions, and nothing that is no line of the kernel's", () => {
    assert.deepEqual(parseCgroups("4:memory:/a:b\n1:name=systemd:/\n0::/user.slice/x\n"), [
      "memory:/a:b",
      "name=systemd:/",
      "/user.slice/x",
    ]);
    assert.deepEqual(parseCgroups("\nx\n0::relative\n"), []);
  });

  test("this process is itself", { skip: process.platform !== "linux" && "only Linux has it" }, async () => {
    const status = await readProcessStatus(process.pid);
    assert.equal(status.uid, process.geteuid?.());
    assert.equal(status.gid, process.getegid?.());
    assert.deepEqual(status, await readProcessStatus(process.pid));
    const ended = spawnSync(process.execPath, ["--version"]);
    await assert.rejects(readProcessStatus(ended.pid), { code: "identity-denied" });
  });
});

describe("executables", { skip: process.platform !== "linux" && "only Linux has /proc" }, () => {
  test("an interpreter is known as one, renamed, linked or by its script's name; a program is hashed, and again when it changed", async () => {
    const directory = await mkdtemp(join(tmpdir(), "vouchsafe-executable-"));
    const read = createExecutableReader();
    const reading = async (path: string, args: readonly string[]) => {
      const program = startProgram(path, args);
      try {
        return await read(program.child.pid ?? 0);
      } finally {
        await program.stop();
      }
    };
    try {
      const renamed = join(directory, "widget");
      await copyFile(process.execPath, renamed);
      assert.equal((await reading(renamed, ["-e", "setInterval(() => {}, 1000)"])).interpreter, "Node.js");
      const linked = join(directory, "linked");
      await symlink("/bin/sh", linked);
      assert.ok((await reading(linked, ["-c", "while :; do sleep 1; done"])).interpreter);

      for (const [interpreter, endless] of [
        ["sh", "while :; do sleep 1; done"],
        ["bash", "while :; do sleep 1; done"],
        ["python3", "import time; time.sleep(60)"],
      ] as const) {
        if (spawnSync(interpreter, ["-c", ""]).error !== undefined) continue;
        const script = join(directory, `widget-in-${interpreter}`);
        await writeFile(script, `#!/usr/bin/env ${interpreter}\n${endless}\n`, { mode: 0o755 });
        assert.ok((await reading(script, [])).interpreter);
      }

      const sleep = join(directory, "pause");
      await copyFile("/bin/sleep", sleep);
      await chmod(sleep, 0o755);
      const first = await reading(sleep, ["60"]);
      assert.equal(first.path, sleep);
      assert.equal(first.interpreter, undefined);
      assert.deepEqual((await reading(sleep, ["60"])).digest, first.digest);
      await appendFile(sleep, "\0");
      const second = await reading(sleep, ["60"]);
      assert.notEqual(second.digest, first.digest);
      assert.notEqual(second.state, first.state);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  test("one whose path is longer than the kernel tells is refused", async () => {
    const directory = await mkdtemp(join(tmpdir(), "vouchsafe-deep-"));
    const deep = Array<string>(12).fill("d".repeat(200));
    const [one, other] = [join(directory, "one"), join(directory, "other")];
    for (const path of [one, other]) await mkdir(join(path, ...deep), { recursive: true });
    await copyFile("/bin/sleep", join(one, ...deep, "pause"));
    const program = startProgram(join(one, ...deep, "pause"), ["60"]);
    try {
      await rename(one, join(other, ...deep, "one"));
      const reading = createExecutableReader()(program.child.pid ?? 0);
      await assert.rejects(reading, { code: "identity-denied", message: /path/ });
      await rename(join(other, ...deep, "one"), one);
    } finally {
      await program.stop();
      await rm(directory, { recursive: true, force: true });
    }
  });

  test("a process that is gone has none", async () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    await assert.rejects(executableState(pid), { code: "identity-denied" });
    await assert.rejects(createExecutableReader()(pid), { code: "identity-denied" });
  });
});
