import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import { envelopeKey, signStatement, testResult } from "../services/signed-envelope.ts";
import { anImage } from "../support/images.ts";
import { ENVELOPE, startOciRegistry } from "../support/oci-registry.ts";
import { vouchsafe } from "./vouchsafe.ts";

describe("vouchsafe discover --output", () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-discover-"));
  });
  after(() => rm(directory, { recursive: true }));

  test("writes what a registry has, with Docker's credentials and those of its helper", async (t) => {
    const registry = await startOciRegistry(t, { auth: { basic: "robot:secret" } });
    const image = anImage();
    registry.manifest(image.index, "v1");
    const evidence = signStatement(testResult(image.digest), envelopeKey().privateKey);
    registry.refer(image.digest, evidence, ENVELOPE);
    const place = `oci://${registry.host}/${registry.repository}:v1`;
    const docker = join(directory, "docker");
    await mkdir(docker);
    const env = { DOCKER_CONFIG: docker, PATH: `${docker}${delimiter}${process.env.PATH}` };
    const discover = (output: string) =>
      vouchsafe(["--json", "discover", place, "--output", output], { cwd: directory, env });

    const unknown = await discover("none");
    assert.equal(unknown.status, 3);
    assert.match(unknown.stderr, /outbound-failed/);

    const auth = Buffer.from("robot:secret").toString("base64");
    await writeFile(join(docker, "config.json"), JSON.stringify({ auths: { [registry.host]: { auth } } }));
    for (const again of [1, 2]) {
      const found = await discover("evidence");
      assert.equal(found.status, 0, `${again}: ${found.stderr}`);
      assert.deepEqual(JSON.parse(found.stdout).sources[0].digest, image.digest);
    }
    const [one, other, ...more] = await readdir(join(directory, "evidence"));
    const names = [
      `${sha256(evidence).replace(":", "-")}.attestation.json`,
      `${image.digest.replace(":", "-")}.manifest.json`,
    ];
    assert.deepEqual([one, other], names.toSorted());
    assert.deepEqual(more, []);
    assert.deepEqual(await readFile(join(directory, "evidence", names[0] ?? "")), Buffer.from(evidence));

    await writeFile(
      join(docker, "config.json"),
      JSON.stringify({ auths: { [registry.host]: {} }, credsStore: "test" }),
    );
    const helper = join(docker, "docker-credential-test");
    await writeFile(
      helper,
      `#!/bin/sh\n[ "$(cat)" = "${registry.host}" ] && echo '{"Username":"robot","Secret":"secret"}'\n`,
    );
    await chmod(helper, 0o755);
    const helped = await discover("helped");
    assert.equal(helped.status, 0, helped.stderr);
  });

  test("needs to know what, and where", async () => {
    const digest = `sha256:${"0".repeat(64)}`;
    for (const args of [[digest], ["github:acme/widget"]]) {
      const { status } = await vouchsafe(["discover", ...args, "--output", join(directory, "x")], {
        cwd: directory,
      });
      assert.notEqual(status, 0, String(args));
    }
  });
});
