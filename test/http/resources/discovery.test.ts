import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import { vouchsafe } from "../../cli/vouchsafe.ts";
import { openReleaseHouse, type ReleaseHouse } from "../../services/release-node.ts";
import { slsaProvenance } from "../../sigstore/provenance.ts";
import { anImage } from "../../support/images.ts";
import { type OciRegistry, startOciRegistry } from "../../support/oci-registry.ts";
import { fails, succeeds } from "../calls.ts";
import type { TestNode } from "../node.ts";
import { tampered } from "../release.ts";

interface Listed {
  readonly status: string;
  readonly from: string;
  readonly attestation?: { readonly id: string };
  readonly manifest?: { readonly digest: string };
}

const ROUTE = "POST /artifacts/:digest/discover";

describe(ROUTE, () => {
  const ends: (() => unknown)[] = [];
  let house: ReleaseHouse;
  let registry: OciRegistry;
  let closed: OciRegistry;
  let node: TestNode;
  let uploader: string;
  let place: string;

  before(async () => {
    house = await openReleaseHouse();
    registry = await startOciRegistry({ after: (end: () => unknown) => ends.push(end) });
    place = `oci://${registry.host}/${registry.repository}`;
    closed = await startOciRegistry(
      { after: (end: () => unknown) => ends.push(end) },
      { auth: { basic: "robot:secret" } },
    );
    const credentials = join(tmpdir(), `vouchsafe-discovery-${randomUUID()}.json`);
    const robot = { username: "robot", password: "secret" };
    await writeFile(credentials, JSON.stringify({ auths: { [closed.host]: robot } }));
    ends.push(() => rm(credentials));
    node = await house.open({
      VOUCHSAFE_DISCOVERY_CREDENTIALS: credentials,
      VOUCHSAFE_OUTBOUND_PRIVATE: "127.0.0.1",
      VOUCHSAFE_DISCOVERY_HOSTS: `${registry.host},${closed.host},127.0.0.2:9`,
    });
    uploader = await node.token(["uploader"], { policies: ["release"] });
  });
  after(async () => {
    await house.close();
    for (const end of ends) await end();
  });

  const look = (digest: string, ...from: string[]) => ({ as: uploader, params: { digest }, json: { from } });

  async function decision(digest: string): Promise<string> {
    const answer = await succeeds(node.app, 200, "GET /verify-digest", { as: uploader, query: { digest } });
    return answer.decision;
  }

  async function provenanceOf(bytes: Buffer): Promise<Uint8Array> {
    return house.sigstore.signStatement(slsaProvenance([{ name: "widget.tgz", bytes }]));
  }

  test("takes what a registry has about an index, which reaches what the index holds", async () => {
    const image = anImage();
    registry.manifest(image.index, "v1");
    const platform = registry.manifest(image.manifest);
    const bundle = await provenanceOf(image.index);
    registry.refer(image.digest, bundle);

    const { sources } = await succeeds(node.app, 200, ROUTE, look(image.digest, `${place}:v1`));
    const [{ source, results }] = sources;
    assert.equal(source, `${place}:v1`);
    assert.deepEqual(
      results.map(({ status, from, attestation, manifest }: Listed) => [
        status,
        attestation?.id ?? manifest?.digest,
        from,
      ]),
      [
        ["accepted", image.digest, `${place}@${image.digest}`],
        ["accepted", platform, `${place}@${platform}`],
        ["accepted", sha256(bundle), `${place}@${sha256(bundle)}`],
      ],
    );
    for (const digest of [image.digest, platform, image.config])
      assert.equal(await decision(digest), "allow");

    const asked = registry.asked.length;
    const again = await succeeds(node.app, 200, ROUTE, look(image.digest, `${place}:v1`));
    assert.deepEqual(
      again.sources[0].results.map(({ status }: { status: string }) => status),
      ["known", "known", "known"],
    );
    assert.equal(registry.asked.length, asked, "what was just found is not asked for again");
  });

  test("says what it refuses, of pieces and of sources, and takes the rest", async () => {
    const image = anImage();
    const good = await provenanceOf(image.index);
    registry.refer(image.digest, tampered(good));
    registry.refer(image.digest, good);
    const elsewhere = [
      "oci://ghcr.evil.example/acme/widget",
      "oci://127.0.0.2:9/acme/widget",
      "npm:widget@1.0.0",
    ];
    const { sources } = await succeeds(node.app, 207, ROUTE, look(image.digest, place, ...elsewhere));
    const codes = sources.map(({ problem }: { problem?: { code: string } }) => problem?.code);
    assert.deepEqual(codes, [undefined, "outbound-refused", "outbound-refused", "outbound-refused"]);
    const statuses = sources[0].results.map(
      ({ status, problem }: { status: string; problem?: { code: string } }) => problem?.code ?? status,
    );
    assert.deepEqual(statuses.toSorted(), ["accepted", "log-entry-invalid"]);
    assert.equal(await decision(image.digest), "allow");
  });

  test("the command line has the server look, at a tag that it looks up itself", async () => {
    const image = anImage();
    registry.manifest(image.index, "v9");
    registry.refer(image.digest, await provenanceOf(image.index));
    const server = await node.app.listen({ port: 0, host: "127.0.0.1" });
    const env = { VOUCHSAFE_TOKEN: uploader, VOUCHSAFE_SERVER: server, DOCKER_CONFIG: "/nonexistent" };
    const found = await vouchsafe(["discover", `${place}:v9`], { cwd: tmpdir(), env });
    assert.equal(found.status, 0, found.stderr);
    assert.match(found.stdout, /^accepted manifest .*\n.*\n?accepted evidence .*, log index [0-9]+\n$/);
    assert.equal(await decision(image.digest), "allow");
    const nothing = await vouchsafe(["discover", image.digest, "--from", "npm:widget@1.0.0"], {
      cwd: tmpdir(),
      env,
    });
    assert.equal(nothing.status, 1);
    assert.match(nothing.stderr, /outbound-refused/);
  });

  test("goes with the installation's credentials for nobody else's project", async () => {
    const image = anImage();
    closed.refer(image.digest, await provenanceOf(image.index));
    const from = `oci://${closed.host}/${closed.repository}`;
    const own = await succeeds(node.app, 200, ROUTE, look(image.digest, from));
    assert.equal(own.sources[0].results.length, 1);
    const operator = await node.token(["operator"]);
    const { token } = await succeeds(node.app, 201, "POST /projects", {
      as: operator,
      json: { name: "other" },
    });
    const other = await succeeds(node.app, 207, ROUTE, { ...look(image.digest, from), as: token.token });
    assert.deepEqual([other.sources[0].problem.code, other.sources[0].results], ["outbound-failed", []]);
  });

  test("refuses what names no artifact or no source", async () => {
    const { digest } = anImage();
    await fails(node.app, "malformed-digest", ROUTE, look("sha256:12", place));
    await fails(node.app, "unsupported-digest-algorithm", ROUTE, look(`sha1:${"0".repeat(40)}`, place));
    await fails(node.app, "invalid-request", ROUTE, look(digest));
    await fails(node.app, "invalid-request", ROUTE, look(digest, ...Array(9).fill(place)));
    const { sources } = await succeeds(node.app, 207, ROUTE, look(digest, "https://ghcr.io/acme/widget"));
    assert.equal(sources[0].problem.code, "invalid-request");
  });
});
