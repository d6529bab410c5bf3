/** Go's crypto/x509 reads revocation lists and believes their authority alone. Where VOUCHSAFE_INTEROP=1 asks for it. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createCrlSigner } from "../../src/identity/crl.ts";
import { serialFrom } from "../../src/identity/x509-svid.ts";
import { writePem } from "../../src/x509/pem.ts";
import { MINUTE, testAuthority } from "../identity/trust-domain.ts";
import { skipInterop } from "../support/interop.ts";

const run = promisify(execFile);
const skip = skipInterop("go");

test("Go takes a list by its authority, and none by another or after its end", { skip }, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-crl-go-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const path = (name: string) => join(directory, name);
  const cwd = fileURLToPath(new URL("crl", import.meta.url));
  await run("nice", ["go", "build", "-o", path("crl"), "."], { cwd });

  const now = Date.now();
  const [authority, another] = [testAuthority("example.org", now), testAuthority("example.org", now)];
  await writeFile(path("ca.pem"), writePem("CERTIFICATE", authority.caCertificate.der));
  await writeFile(path("another.pem"), writePem("CERTIFICATE", another.caCertificate.der));
  const serials = [serialFrom(randomBytes(16)), serialFrom(randomBytes(16))];
  const sign = createCrlSigner(authority);
  const list = (nextUpdate: number, named = serials) =>
    sign({
      asOf: 41,
      thisUpdate: now - MINUTE,
      nextUpdate,
      revoked: named.map((serial) => ({ serial, revokedAt: now - MINUTE })),
    });
  const read = async (ca: string, der: Uint8Array) => {
    await writeFile(path("list.der"), der);
    return JSON.parse((await run(path("crl"), [path(ca), path("list.der")])).stdout);
  };

  const seconds = BigInt(Math.floor((now - MINUTE) / 1000));
  assert.deepEqual(await read("ca.pem", await list(now + MINUTE)), {
    number: String((41n << 32n) | seconds),
    serials: serials.map((serial) => Buffer.from(serial).toString("hex")),
  });
  assert.deepEqual((await read("ca.pem", await list(now + MINUTE, []))).serials, []);
  await assert.rejects(read("another.pem", await list(now + MINUTE)), /signature|ECDSA|parent/i);
  await assert.rejects(read("ca.pem", await list(now - MINUTE / 2)), /it counts from/);
});
