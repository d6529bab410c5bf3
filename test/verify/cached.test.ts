import assert from "node:assert/strict";
import { test } from "node:test";
import { createTrust } from "../../src/trust/snapshot.ts";
import { createVerifier } from "../../src/verify/cached.ts";
import { assertVerified, type VerifiedAttestation } from "../../src/verify/verified-attestation.ts";
import { bytesOf, envelope, SIGNERS, STATEMENT, trustedKey } from "./envelopes.ts";

const NOW = 1_800_000_000_000;
const until = new Date(NOW + 1000).toISOString();
const [signer] = SIGNERS;
assert.ok(signer);
const trust = createTrust({ sigstore: [], keys: [trustedKey(signer, { validUntil: until })] });
const evidence = (n: number) =>
  bytesOf(envelope([signer], { statement: { ...STATEMENT, predicate: { n } } }));

test("the same evidence under the same trust is verified once", () => {
  const verify = createVerifier({ maxEntries: 2 });
  const bytes = evidence(1);
  const first = verify(bytes, trust, NOW);
  assert.equal(verify(Buffer.from(bytes), trust, NOW), first);
  assertVerified(first);
});

test("another snapshot is never answered from the cache", () => {
  const verify = createVerifier({ maxEntries: 2 });
  const bytes = evidence(1);
  verify(bytes, trust, NOW);
  assert.throws(() => verify(bytes, createTrust({ sigstore: [], keys: [] }), NOW), { code: "unknown-key" });
  const wider = createTrust({ sigstore: [], keys: [trustedKey(signer)] });
  assert.equal(verify(bytes, wider, NOW).trustHash, wider.hash);
});

test("a key's end is obeyed from the cache too", () => {
  const verify = createVerifier({ maxEntries: 2 });
  const bytes = evidence(1);
  verify(bytes, trust, NOW);
  assert.throws(() => verify(bytes, trust, NOW + 1001), { code: "time-unverified" });
  assert.doesNotThrow(() => verify(bytes, trust, NOW + 1000));
});

test("no more than the asked number is kept, the least recently used goes first", () => {
  const verify = createVerifier({ maxEntries: 2 });
  const [one, two, three] = [evidence(1), evidence(2), evidence(3)] as const;
  const kept = verify(one, trust, NOW);
  const dropped = verify(two, trust, NOW);
  verify(one, trust, NOW);
  verify(three, trust, NOW);
  assert.equal(verify(one, trust, NOW), kept);
  assert.notEqual(verify(two, trust, NOW), dropped);
});

test("only verify/ makes a VerifiedAttestation", () => {
  const verified = createVerifier({ maxEntries: 1 })(evidence(1), trust, NOW);
  assert.doesNotThrow(() => assertVerified(verified));
  assert.throws(() => assertVerified({ ...verified } as VerifiedAttestation), TypeError);
  assert.throws(() => assertVerified(JSON.parse(JSON.stringify(verified))), TypeError);
});
