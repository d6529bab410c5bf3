import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createClient } from "../../src/client/client.ts";
import { webCertificate } from "../services/federation/bundle-server.ts";

test("who cannot be reached is told why: no certificate that is trusted, no such name, nobody there", async (t) => {
  const { cert, key } = webCertificate();
  const server = createServer({ cert, key }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const free = createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  const { port: nobodys } = free.address() as AddressInfo;
  free.close();
  const cases: readonly (readonly [string, RegExp])[] = [
    [`https://127.0.0.1:${port}`, /its certificate is not trusted: NODE_EXTRA_CA_CERTS/],
    [`http://127.0.0.1:${nobodys}`, /nothing listens there$/],
    ["http://no-such-host.invalid", /its name (is not known|could not be looked up)$/],
  ];
  for (const [url, said] of cases) {
    const error = await createClient({ server: url })
      .whoAmI()
      .catch((cause: unknown) => cause);
    assert.ok(error instanceof Error && "problem" in error);
    assert.match(error.message, said);
    assert.equal((error.problem as { server: string }).server, new URL(url).origin);
  }
});
