import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readJwtClaims } from "../../../src/cli/credentials/jwt-claims.ts";
import { findToken } from "../../../src/cli/credentials.ts";
import { digestOf } from "../../../src/in-toto-attestation/digest.ts";
import { type LocalSource, openLocalSource } from "../../workload/local-source.ts";
import { openService } from "../../workload/open-service.ts";

const SERVER = "https://vouchsafe.example";
const DIGEST = digestOf("sha256", "a".repeat(64));

let directory: string;
let socket: string;
let source: LocalSource;
let service: Awaited<ReturnType<typeof openService>>;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-svid-token-"));
  socket = join(directory, "agent.sock");
  source = await openLocalSource();
  service = await openService(socket, source, () => ({
    pid: 1,
    selectors: [],
    components: { executable: [DIGEST] },
  }));
});
after(async () => {
  await service.close();
  await source.remove();
  await rm(directory, { recursive: true });
});

const tokens = (endpoint: string) => {
  const found = findToken(SERVER, { SPIFFE_ENDPOINT_SOCKET: endpoint });
  assert.ok(typeof found === "object");
  return found;
};

test("a workload calls by its JWT-SVID for the server, once its digest is approved", async () => {
  await assert.rejects(tokens(`unix://${socket}`).current(), {
    name: "UsageError",
    message: /SPIFFE_ENDPOINT_SOCKET/,
  });
  source.approve(DIGEST);
  const kept = tokens(`unix://${socket}`);
  const svid = await kept.current();
  assert.deepEqual(readJwtClaims(svid)?.audiences, [SERVER]);
  assert.equal(await kept.current(), svid);
});

test("what is no unix socket, or nobody's, is a mistake that is told", async () => {
  for (const endpoint of ["tcp://127.0.0.1:1", "/run/agent.sock", "unix://host/run/agent.sock"]) {
    assert.throws(() => tokens(endpoint), { name: "UsageError" }, endpoint);
  }
  await assert.rejects(tokens(`unix://${socket}.none`).current(), { name: "UsageError" });
});
