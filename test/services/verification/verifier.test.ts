import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import type { ProjectId } from "../../../src/custody/events.ts";
import { createVerifier } from "../../../src/services/verification/verifier.ts";
import { createTrust } from "../../../src/trust/snapshot.ts";
import { bytesOf, envelope, SIGNERS, trustedKey } from "../../verify/envelopes.ts";

const PROJECT = "p" as ProjectId;

/** Two whose signatures are of one length, so that their envelopes are too. */
const [signer, stranger] = SIGNERS.filter(({ name }) => name === "p256-raw" || name === "ed25519");
assert.ok(signer !== undefined && stranger !== undefined);
const trust = createTrust({ sigstore: [], keys: [trustedKey(signer)] });
const other = createTrust({ sigstore: [], keys: [trustedKey(stranger)] });
const NOW = Date.UTC(2030, 0);
const good = bytesOf(envelope([signer]));
const bad = bytesOf(envelope([stranger]));

const newVerifier = () => createVerifier({ mode: "off", report: () => {} });

test("evidence that is remembered has the answer that it had, be it good or bad", async () => {
  const verifier = newVerifier();
  const first = await verifier.verify(PROJECT, good, trust, NOW);
  assert.deepEqual(await verifier.verify(PROJECT, Buffer.from(good), trust, NOW), first);
  assert.deepEqual(verifier.recall(PROJECT, first.id, trust, NOW), first);
  for (let i = 0; i < 2; i += 1) {
    await assert.rejects(verifier.verify(PROJECT, bad, trust, NOW), { code: "unknown-key" });
    await assert.rejects(verifier.verify(PROJECT, good, other, NOW), { code: "unknown-key" });
  }
});

test("evidence of the same checksum as what is remembered is examined for itself", async () => {
  const [one, two] = sameChecksum(good, bad);
  const verifier = newVerifier();
  for (let i = 0; i < 2; i += 1) {
    await verifier.verify(PROJECT, one, trust, NOW);
    await assert.rejects(verifier.verify(PROJECT, two, trust, NOW), { code: "unknown-key" });
  }
});

test("bytes that change after they were verified are other evidence", async () => {
  const [one, two] = sameChecksum(good, bad);
  const verifier = newVerifier();
  const bytes = Buffer.from(one);
  await verifier.verify(PROJECT, bytes, trust, NOW);
  two.copy(bytes);
  assert.deepEqual(bytes, two);
  await assert.rejects(verifier.verify(PROJECT, bytes, trust, NOW), { code: "unknown-key" });
});

/**
 * Both with white space after them, in 2^17 spellings each, of which two have one checksum. Checksums are linear, so the
 * two vary at different distances from the end.
 */
function sameChecksum(a: Buffer, b: Buffer): [Buffer, Buffer] {
  const variations = 17;
  const spelling = (i: number) =>
    Buffer.from(Array.from({ length: variations }, (_, bit) => ((i >> bit) & 1 ? 0x20 : 0x0a)));
  const padding = Buffer.alloc(variations, " ");
  const known = new Map<number, Buffer>();
  for (let i = 0; i < 2 ** variations; i += 1) {
    const one = Buffer.concat([a, padding, spelling(i)]);
    known.set(crc32(one), one);
  }
  for (let i = 0; i < 2 ** variations; i += 1) {
    const other = Buffer.concat([b, spelling(i), padding]);
    const one = known.get(crc32(other));
    if (one !== undefined) return [one, other];
  }
  throw new Error("no two of them have one checksum");
}
