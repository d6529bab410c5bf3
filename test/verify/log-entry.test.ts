import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import type { InclusionProof, LogEntry } from "../../src/verify/signed-evidence.ts";
import { createRekorLog, type RekorLog } from "../sigstore/rekor-log.ts";
import fc from "../support/fc.ts";
import { type LoggedCase, loggedCases, proven } from "./logged-signatures.ts";

const SECOND = 1_700_000_000;

const promising = createRekorLog({ name: "rekor.example", version: 1, now: () => SECOND * 1000 });
const tiled = createRekorLog({ name: "log1.rekor.example", version: 2 });
const other = createRekorLog({ name: "rekor.example", version: 1 });

let v1: LoggedCase;
let v2: LoggedCase;
/** The fourth of seven entries: its proof has hashes on both sides. */
let entry: LogEntry;
let proof: InclusionProof;
let tile: LogEntry;
let tileProof: InclusionProof;
before(async () => {
  const cases = await loggedCases();
  v1 = only(cases.filter(({ name }) => name === "dsse 0.0.1, by a certificate"));
  v2 = only(cases.filter(({ name }) => name === "hashedrekord 0.0.2 of an envelope, by a certificate"));
  [entry, proof] = fourthOf(promising, v1);
  [tile, tileProof] = fourthOf(tiled, v2);
});

function only<T>([one]: readonly T[]): T {
  assert.ok(one);
  return one;
}

function fourthOf(log: RekorLog, { body }: LoggedCase): [LogEntry, InclusionProof] {
  const fillers = Array.from({ length: 7 }, (_, i) => Buffer.from(`{"kind":"filler","apiVersion":"${i}"}`));
  const one = only(log.enter(fillers.with(3, Buffer.from(body))).slice(3));
  assert.ok(one.proof && one.proof.hashes.length === 3);
  return [one, one.proof];
}

function promiseOnly(changes: Partial<LogEntry> = {}): LogEntry {
  const { proof: _, ...without } = entry;
  return { ...without, ...changes };
}

function withProof(of: LogEntry, changes: Partial<InclusionProof>): LogEntry {
  assert.ok(of.proof);
  return { ...of, proof: { ...of.proof, ...changes } };
}

/** Neither refused when it is read nor false: anything that is not proof comes out as undefined. */
function proves(one: LogEntry, log: RekorLog = promising, changes: Partial<RekorLog["authority"]> = {}) {
  try {
    return proven(one, [{ ...log.authority, ...changes }], log === tiled ? v2.logged : v1.logged);
  } catch (error) {
    assert.ok(error instanceof VouchsafeError && error.code === "log-entry-invalid", `${error}`);
    return undefined;
  }
}

describe("an entry of a log that promises", () => {
  test("is proven at the time of the promise", () => {
    const found = proves(entry);
    assert.equal(found?.log, "rekor.example");
    assert.equal(found?.logIndex, entry.logIndex);
    assert.equal(found?.promisedTime, SECOND * 1000);
    assert.equal(found?.proven, true);
  });

  test("holds by its promise alone, and has no time without it", () => {
    assert.equal(proves(promiseOnly())?.proven, false);
    const { signedEntryTimestamp: _, ...unpromised } = entry;
    const found = proves(unpromised);
    assert.equal(found?.proven, true);
    assert.equal(found?.promisedTime, undefined);
    assert.equal(proves({ ...unpromised, integratedTime: 1 })?.promisedTime, undefined);
    assert.equal(found?.logIndex, undefined, "nothing signs it");
    assert.equal(found?.leafHash, proves(entry)?.leafHash, "it is the same entry, whatever index it claims");
  });

  test("is refused when anything that the promise is over differs", () => {
    assert.ok(proves(promiseOnly()));
    for (const change of [
      { logIndex: entry.logIndex + 1 },
      { integratedTime: SECOND + 1 },
      { integratedTime: 0 },
      { signedEntryTimestamp: Buffer.alloc(0) },
      { signedEntryTimestamp: other.sign(Buffer.from("x")) },
      { body: Buffer.from(JSON.stringify(JSON.parse(Buffer.from(entry.body).toString()), null, 1)) },
    ]) {
      assert.equal(proves(promiseOnly(change)), undefined, JSON.stringify(change).slice(0, 80));
    }
    const { integratedTime: _, ...timeless } = entry;
    assert.equal(proves(timeless), undefined);
    const epoch = createRekorLog({ name: "rekor.example", version: 1, now: () => 0 });
    assert.equal(proves(only(epoch.enter([v1.body])), epoch), undefined, "zero is how none is written");
  });

  test("is refused when its promise is false although its proof is not, and the other way round", () => {
    assert.equal(proves({ ...entry, signedEntryTimestamp: other.sign(Buffer.from("x")) }), undefined);
    assert.equal(proves(withProof(entry, { leafIndex: proof.leafIndex - 1 })), undefined);
  });

  test("is refused when the log was not trusted at the promised time; the range includes its ends", () => {
    const time = SECOND * 1000;
    assert.ok(proves(entry, promising, { validFor: { start: time, end: time } }));
    assert.equal(proves(entry, promising, { validFor: { start: time + 1, end: Infinity } }), undefined);
    assert.equal(proves(entry, promising, { validFor: { start: 0, end: time - 1 } }), undefined);
  });

  test("finds the listing of its log whose range has the promised time, and without one all those of its key", () => {
    const ranges = [
      { start: 0, end: 1 },
      { start: 2, end: Infinity },
    ];
    const logs = ranges.map((validFor) => ({ ...promising.authority, validFor }));
    assert.deepEqual(proven(entry, logs, v1.logged)?.validFor, [ranges[1]]);
    const another = { ...other.authority, logId: promising.authority.logId };
    const { signedEntryTimestamp: _, ...unpromised } = entry;
    assert.deepEqual(proven(unpromised, [...logs, another], v1.logged)?.validFor, ranges);
  });

  test("is proven by a checkpoint of its key, whatever that calls itself", () => {
    assert.ok(proves(entry, promising, { origin: "https-address.example" }));
    const { origin: _, ...nameless } = promising.authority;
    assert.ok(proven(entry, [nameless], v1.logged));
    const { checkpoint } = proof;
    assert.equal(proves(withProof(entry, { checkpoint: checkpoint.replace("— rekor", "— r") })), undefined);
  });

  test("of tiles is told by the name that its key id was made of, or else by its address", () => {
    const { origin: _, ...nameless } = tiled.authority;
    assert.ok(proves(tile, tiled, { origin: "log1.rekor.example:8443" }));
    assert.ok(proven(tile, [nameless], v2.logged));
    const { checkpoint } = tileProof;
    assert.equal(
      proves(withProof(tile, { checkpoint: checkpoint.replace("— log1", "— log2") }), tiled),
      undefined,
    );
    const ecdsa = createRekorLog({ name: "log1.rekor.example", version: 2, key: "ec" });
    const [one] = fourthOf(ecdsa, v2);
    assert.ok(proven(one, [ecdsa.authority], v2.logged));
    const moved = { ...ecdsa.authority, origin: "log1.rekor.example:8443" };
    assert.throws(() => proven(one, [moved], v2.logged), { code: "log-entry-invalid" });
  });

  test("is refused under another log, by whatever name or key id", () => {
    assert.equal(proves(entry, other), undefined);
    const { logId, origin = "" } = promising.authority;
    assert.equal(proves(entry, other, { logId, origin }), undefined);
    assert.equal(proves({ ...entry, logId: other.authority.logId }), undefined);
    assert.equal(proves({ ...entry, logId: logId.toUpperCase() }), undefined);
  });

  test("is refused without promise and proof", () => {
    const { signedEntryTimestamp: _, ...nothing } = promiseOnly();
    assert.equal(proves(nothing), undefined);
  });
});

describe("an entry of a log of tiles", () => {
  test("is proven, and has no time", () => {
    const found = proves(tile, tiled);
    assert.equal(found?.proven, true);
    assert.equal(found?.promisedTime, undefined);
    assert.equal(found?.logIndex, 3);
    assert.equal(proves({ ...tile, integratedTime: SECOND }, tiled)?.promisedTime, undefined);
  });

  test("stands at the index that it is proven at, and not without proof", () => {
    assert.equal(proves({ ...tile, logIndex: 4 }, tiled), undefined);
    assert.equal(
      proves({ ...tile, logId: other.authority.logId }, tiled),
      undefined,
      "in the log that it names",
    );
    const { proof: _, ...unproven } = tile;
    assert.equal(
      proves({ ...unproven, signedEntryTimestamp: Buffer.of(1), integratedTime: 1 }, tiled),
      undefined,
    );
  });
});

test("logs sign with P-256, Ed25519 or RSA", () => {
  for (const key of ["ec", "ed25519", "rsa"] as const) {
    for (const version of [1, 2] as const) {
      const one = version === 1 ? v1 : v2;
      const log = createRekorLog({ name: "some.example:3000", version, key });
      const made = only(log.enter([one.body]));
      assert.ok(proven(made, [log.authority], one.logged), `${key}, version ${version}`);
    }
  }
});

test("every leaf of small trees is proven, and at no other place", () => {
  for (let size = 1; size <= 9; size++) {
    const log = createRekorLog({ name: "log", version: 2 });
    // The same body at every place would be provable at several.
    for (let at = 0; at < size; at++) {
      const fillers = Array.from({ length: size }, (_, i) =>
        Buffer.from(`{"kind":"${size}","apiVersion":"${i}"}`),
      );
      const one = only(log.enter(fillers.with(at, Buffer.from(v2.body))).slice(at));
      assert.ok(proven(one, [log.authority], v2.logged));
      for (const shift of [-1, 1]) {
        const place = one.logIndex + shift;
        const moved = withProof({ ...one, logIndex: place }, { leafIndex: place });
        assert.throws(() => proven(moved, [log.authority], v2.logged), { code: "log-entry-invalid" });
      }
    }
  }
});

test("a proof that is changed in any way is refused", () => {
  const [first = Buffer.alloc(32), ...rest] = proof.hashes;
  const changes: Partial<InclusionProof>[] = [
    { leafIndex: proof.leafIndex + 1 },
    { leafIndex: proof.treeSize },
    { leafIndex: -1 },
    { treeSize: proof.treeSize + 1 },
    { treeSize: 0 },
    { rootHash: Buffer.alloc(32) },
    { rootHash: proof.rootHash.subarray(1) },
    { hashes: [] },
    { hashes: rest },
    { hashes: [...proof.hashes, first] },
    { hashes: proof.hashes.toReversed() },
    { hashes: [first.subarray(1), ...rest] },
    { hashes: [Buffer.concat([first, Buffer.of(0)]), ...rest] },
    { checkpoint: tileProof.checkpoint },
    { checkpoint: "" },
  ];
  for (const change of changes)
    assert.equal(proves(withProof(entry, change)), undefined, Object.keys(change)[0]);
});

test("a proof that fits an older checkpoint of the log is refused with a newer one", () => {
  const newer = only(promising.enter([Buffer.from('{"kind":"one","apiVersion":"more"}')]));
  assert.ok(newer.proof);
  const { checkpoint, treeSize, rootHash } = newer.proof;
  assert.equal(proves(withProof(entry, { checkpoint })), undefined);
  assert.equal(proves(withProof(entry, { checkpoint, treeSize, rootHash })), undefined);
});

test("no byte of a body or hash of a proof, nor a character of a checkpoint, can be changed", () => {
  for (const [one, log] of [
    [entry, promising],
    [tile, tiled],
  ] as const) {
    const { checkpoint = "", hashes = [] } = one.proof ?? {};
    const { signedEntryTimestamp: _, ...unpromised } = one;
    fc.assert(
      fc.property(fc.nat(one.body.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        assert.equal(proves({ ...unpromised, body: flipped(one.body, at, mask) }, log), undefined);
      }),
    );
    fc.assert(
      fc.property(fc.nat(95), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const changed = hashes.map((hash, i) => (i === at >> 5 ? flipped(hash, at & 31, mask) : hash));
        assert.equal(proves(withProof(unpromised, { hashes: changed }), log), undefined);
      }),
    );
    fc.assert(
      fc.property(fc.nat(checkpoint.length - 1), fc.constantFrom(..."A0+ \n\r—-"), (at, character) => {
        fc.pre(checkpoint[at] !== character);
        const changed = checkpoint.slice(0, at) + character + checkpoint.slice(at + 1);
        assert.equal(proves(withProof(unpromised, { checkpoint: changed }), log), undefined);
      }),
      { numRuns: 300 },
    );
  }
});

function flipped(bytes: Uint8Array, at: number, mask: number): Uint8Array {
  return Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ mask : byte));
}
