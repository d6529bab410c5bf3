import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Command } from "commander";
import { addAttestorOptions, attestorsOf } from "../../src/cli/agent-attestors.ts";

const named = async (...args: string[]) => {
  const command = addAttestorOptions(new Command()).parse(args, { from: "user" });
  const attestors = await attestorsOf(command.opts());
  for (const { close } of attestors) close?.();
  return attestors.map(({ name }) => name);
};

describe("the agent's attestors of containers", () => {
  for (const [args, names] of [
    ["", []],
    ["--docker", ["docker"]],
    ["--docker /run/podman/podman.sock", ["docker"]],
    ["--cri --kubelet", ["cri", "k8s"]],
    ["--cri /run/crio/crio.sock --kubelet https://node-1:10250 --kubelet-ca ca.pem", ["cri", "k8s"]],
    ["--containerd --containerd-namespace moby", ["containerd"]],
    ["--kubelet-skip-verification", []],
  ] as const) {
    test(`with ${args || "no option"}`, async () => {
      assert.deepEqual(await named(...args.split(" ").filter(Boolean)), names);
    });
  }

  test("are not asked for what would send a token in the clear", async () => {
    await assert.rejects(named("--kubelet", "http://node-1:10255"), { code: "configuration-invalid" });
  });
});
