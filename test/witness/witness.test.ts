import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { formatSubmission } from "../../src/tlog/add-checkpoint.ts";
import { signCheckpoint } from "../../src/tlog/checkpoint.ts";
import { parseCosignatureKey } from "../../src/tlog/cosignature.ts";
import { EMPTY_ROOT } from "../../src/tlog/hash.ts";
import { ed25519Signer, openNote, signNote } from "../../src/tlog/note.ts";
import { openWitness, type Witness } from "../../src/witness/witness.ts";
import { forkedLog } from "./forked-log.ts";

const log = forkedLog();
const { trunk } = log;
const NOW = 1_700_000_000_000;

let directory: string;
let witness: Witness;
const open = (logs: readonly string[] = [log.verifierKey]) =>
  openWitness({ directory, name: "witness.example/w", logs, clock: () => NOW });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-witness-"));
  witness = await open();
});
afterEach(async () => {
  await witness.close();
  await rm(directory, { recursive: true, force: true });
});

async function submit(tree: typeof trunk, old: number, size: number): Promise<number | string> {
  const answer = await witness.addCheckpoint(log.submission(tree, old, size));
  if (answer.status === 200) {
    openNote(log.note(tree, size) + answer.line, [parseCosignatureKey(witness.verifierKey)]);
    return 200;
  }
  return answer.status === 409 ? `409 ${answer.size}` : answer.status;
}

test("a log that only grows is cosigned, from any size to any larger one, and again at the same", async () => {
  let old = 0;
  for (const size of [0, 1, 1, 2, 3, 7, 8, 8, 200, 256, 257, 600]) {
    assert.equal(await submit(trunk, old, size), 200, `${old} to ${size}`);
    old = size;
  }
});

test("the old size is the one cosigned last, or the answer says which", async () => {
  assert.equal(await submit(trunk, 5, 9), "409 0");
  assert.equal(await submit(trunk, 0, 9), 200);
  for (const [old, size] of [
    [0, 12],
    [8, 12],
    [10, 12],
    [0, 9],
    [3, 5],
  ] as const) {
    assert.equal(await submit(trunk, old, size), "409 9", `${old} to ${size}`);
  }
  assert.equal(await submit(trunk, 12, 9), 400, "an old size above the checkpoint's is no submission");
});

test("what does not extend the tree that was cosigned is refused", async () => {
  assert.equal(await submit(trunk, 0, 9), 200);
  assert.equal(await submit(log.fork(8), 9, 12), 422);
  assert.equal(await submit(log.fork(8), 9, 9), "409 9", "another root at the same size");
  const proof = trunk.proof(8, 12);
  const note = log.note(trunk, 12);
  assert.equal((await witness.addCheckpoint(formatSubmission({ old: 9, proof, note }))).status, 422);
  const padded = [...trunk.proof(9, 12), EMPTY_ROOT];
  assert.equal((await witness.addCheckpoint(formatSubmission({ old: 9, proof: padded, note }))).status, 422);
  assert.equal(await submit(trunk, 9, 12), 200, "and the witness goes on with the log as it was");
});

test("nothing is started from a tree of nothing that has another root", async () => {
  const signed = signCheckpoint({ origin: log.origin, size: 0, root: trunk.root(1) }, [
    ed25519Signer(log.origin, generateKeyPairSync("ed25519").privateKey),
  ]);
  assert.equal((await witness.addCheckpoint(`old 0\n\n${signed}`)).status, 403);
});

test("logs, keys and texts that are not known are refused, in the specification's order", async () => {
  const other = ed25519Signer("log.example/other", generateKeyPairSync("ed25519").privateKey);
  const impostor = ed25519Signer(log.origin, generateKeyPairSync("ed25519").privateKey);
  const text = `${log.origin}\n3\n${trunk.root(3).toString()}\n`;
  const tree = { size: 3, root: trunk.root(3) };
  const tampered = log.note(trunk, 3).replace("\n3\n", "\n4\n");
  for (const [note, status] of [
    [signCheckpoint({ origin: "log.example/other", ...tree }, [other]), 404],
    [signCheckpoint({ origin: log.origin, ...tree }, [impostor, other]), 403],
    [tampered, 403],
    [signNote("not a checkpoint\n", [other]), 400],
    [text, 400],
    [log.note(trunk, 3).replace("\n3\n", "\n03\n"), 400],
    [log.note(trunk, 3).replace("\n3\n", "\n9007199254740992\n"), 400],
    ["", 400],
  ] as const) {
    assert.equal((await witness.addCheckpoint(`old 0\n\n${note}`)).status, status, note);
  }
});

test("a log's keys may overlap: any of them lets its checkpoints be cosigned", async () => {
  await witness.close();
  const next = ed25519Signer(log.origin, generateKeyPairSync("ed25519").privateKey);
  witness = await open([log.verifierKey, next.verifierKey]);
  assert.equal(await submit(trunk, 0, 4), 200);
  const note = signCheckpoint({ origin: log.origin, size: 5, root: trunk.root(5) }, [next]);
  assert.equal(
    (await witness.addCheckpoint(formatSubmission({ old: 4, proof: trunk.proof(4, 5), note }))).status,
    200,
  );
});

test("submissions that come at once are judged one after the other: never a smaller tree after a larger", async () => {
  const answers = await Promise.all([3, 5, 4, 5].map((size) => submit(trunk, 0, size)));
  assert.deepEqual(answers, [200, "409 3", "409 3", "409 3"]);
  const fork = log.fork(4);
  const both = await Promise.all([submit(trunk, 3, 6), submit(fork, 3, 6), submit(trunk, 3, 7)]);
  assert.deepEqual(both, [200, "409 6", "409 6"]);
});

test("another start has the same key and the same memory, and takes new logs", async () => {
  assert.equal(await submit(trunk, 0, 9), 200);
  const { verifierKey } = witness;
  await witness.close();
  const other = forkedLog("log.example/new");
  witness = await open([log.verifierKey, other.verifierKey]);
  assert.equal(witness.verifierKey, verifierKey);
  assert.deepEqual(witness.origins, [log.origin, other.origin]);
  assert.equal(await submit(log.fork(8), 9, 9), "409 9");
  assert.equal(await submit(trunk, 0, 12), "409 9");
  assert.equal((await witness.addCheckpoint(other.submission(other.trunk, 0, 2))).status, 200);
  assert.equal((await stat(join(directory, "witness-key.pem"))).mode & 0o777, 0o600);
});

test("a directory has one witness at a time", async () => {
  await assert.rejects(open(), { code: "configuration-invalid" });
});

test("what is no witness's is not opened", async () => {
  await witness.close();
  await assert.rejects(open(["nonsense"]), { code: "invalid-request" });
  const long = ed25519Signer(`log.example/${"x".repeat(400)}`, generateKeyPairSync("ed25519").privateKey);
  await assert.rejects(open([long.verifierKey]), { code: "configuration-invalid" });
  witness = await open();
});
