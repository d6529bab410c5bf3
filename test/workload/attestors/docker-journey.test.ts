/** From a container's image to an identity: a real server and agent, real cgroups, and a daemon that speaks Docker's API. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { anImage } from "../../support/images.ts";
import { UNLESS_LONG } from "../../support/long.ts";
import { type AgentHouse, openAgentHouse } from "../agent-house.ts";
import { type Line, startProgram, type Workload } from "../run-workload.ts";
import { cannotMakeCgroups, makeCgroup, type TestCgroup } from "./cgroups.ts";
import { type JsonServer, serveJson } from "./json-server.ts";

const SCRIPT = fileURLToPath(new URL("../workload.cjs", import.meta.url));
const PERMISSION_DENIED = 7;
const UNAVAILABLE = 14;

const POLICY = `
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: widget }
spec:
  selectors: ["docker:label:app:widget"]
  spiffeId: /widget
  components: { image: { policies: [release] } }
  requesters: { agents: ["spiffe://vouchsafe.local/vouchsafe/agent/node-1"] }
`;

const isShort = UNLESS_LONG;

describe("workloads in containers", { skip: isShort || cannotMakeCgroups() }, () => {
  const image = anImage();
  const id = randomBytes(32).toString("hex");
  let house: AgentHouse;
  let daemon: JsonServer;
  let cgroup: TestCgroup;
  let init: Workload;
  let repoDigests: readonly string[];

  before(async () => {
    house = await openAgentHouse(POLICY);
    cgroup = await makeCgroup(`/docker/${id}`);
    init = startProgram("/bin/sleep", ["600"]);
    await cgroup.add(init.child.pid);
    const found = () => ({
      Id: id,
      State: { Running: true, Pid: init.child.pid },
      Image: image.config,
      Config: { Image: "widget", Labels: { app: "widget" } },
    });
    daemon = await serveJson(house.path("docker.sock"), (path) => {
      if (path === "/_ping") return { headers: { "api-version": "1.44" }, body: "OK" };
      if (path.includes(`/containers/${id}/`)) return { body: found() };
      if (path.includes("/images/")) return { body: { Id: image.config, RepoDigests: repoDigests } };
      return { status: 404, body: { message: "No such container" } };
    });
    repoDigests = [`registry.example/widget@${image.digest}`];
    await house.join("node-1", "--docker", house.path("docker.sock"));
  });
  after(async () => {
    await init.stop();
    await cgroup.remove();
    await house.close();
    await daemon.close();
  });

  /** What a program gets that is started in the container, as `docker exec` does: a script, which has no digest of its own. */
  async function exec(where = cgroup): Promise<Line> {
    const command = 'echo $$ >"$0"; exec "$@"';
    const args = [process.execPath, SCRIPT, house.path("node-1.sock"), "FetchX509SVID"];
    const program = startProgram("/bin/sh", ["-c", command, where.procs, ...args]);
    try {
      return await program.next();
    } finally {
      await program.stop();
    }
  }
  const denied = (line: Line, code: string) => {
    assert.equal(line.code, PERMISSION_DENIED, JSON.stringify(line));
    assert.ok(line.details.includes(code), line.details);
  };

  test("get an identity once their image is released, by the digest that it was pulled by, and no other process does", async (t) => {
    denied(await exec(), "no-verdict");
    await house.release(image.digest);
    const { answer } = await exec();
    assert.equal(answer?.svids[0].spiffe_id, "spiffe://vouchsafe.local/widget");
    const beside = await makeCgroup(`/vouchsafe-test-${process.pid}`);
    t.after(() => beside.remove());
    denied(await exec(beside), "no-workload-policy");
  });

  test("lose it with a quarantine of the image", async () => {
    const { id: quarantine } = await house.operator.openQuarantine(image.digest, "a test");
    denied(await exec(), "quarantined");
    await house.operator.liftQuarantine(quarantine, "a test");
    assert.ok((await exec()).answer);
  });

  test("are known by the image's own digest where none was pulled, which its index passes on by manifests", async () => {
    repoDigests = [];
    // The container is started again: what is known of it is asked for anew.
    await init.stop();
    init = startProgram("/bin/sleep", ["600"]);
    await cgroup.add(init.child.pid);
    denied(await exec(), "no-verdict");
    await house.operator.recordManifest(image.index);
    await house.operator.recordManifest(image.manifest);
    assert.ok((await exec()).answer);
  });

  test("get no answer, and no denial, while the daemon is away", async () => {
    await daemon.close();
    await init.stop();
    assert.equal((await exec()).code, UNAVAILABLE);
  });
});
