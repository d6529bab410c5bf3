import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readWitnessPolicy, requirePolicyFor } from "../../../src/services/witnessing/witness-policy.ts";
import { ed25519Cosigner } from "../../../src/tlog/cosignature.ts";
import { ed25519Signer, parseVerifierKey } from "../../../src/tlog/note.ts";
import { parseWitnessPolicy } from "../../../src/tlog/witness-policy.ts";

const newKey = () => generateKeyPairSync("ed25519").privateKey;
const { verifierKey } = ed25519Cosigner("w.example", newKey());
const misconfigured = { name: "VouchsafeError", code: "configuration-invalid" };

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-witness-policy-"));
});
after(() => rm(directory, { recursive: true, force: true }));

async function read(text: string) {
  const witnessesFile = join(directory, "policy");
  await writeFile(witnessesFile, text);
  return readWitnessPolicy({ witnessesFile });
}

test("a server's policy has a quorum, and a URL for each witness", async () => {
  assert.equal(await readWitnessPolicy({ witnessesFile: undefined }), undefined);
  const policy = await read(`witness w ${verifierKey} https://w.example/prefix\nquorum w\n`);
  assert.equal(policy?.witnesses.length, 1);
  for (const text of [
    "quorum none\n",
    "nonsense\n",
    `witness w ${verifierKey}\nquorum w\n`,
    `witness w ${verifierKey} w.example\nquorum w\n`,
    `witness w ${verifierKey} ftp://w.example\nquorum w\n`,
    `witness w ${verifierKey} https://user:secret@w.example\nquorum w\n`,
    `witness w ${verifierKey} https://w.example?a=b\nquorum w\n`,
  ]) {
    await assert.rejects(read(text), misconfigured, text);
  }
  await assert.rejects(readWitnessPolicy({ witnessesFile: join(directory, "not-there") }), misconfigured);
});

test("a policy that names logs is for these", () => {
  const [ours, other] = ["log.example/ours", "log.example/other"].map(
    (name) => ed25519Signer(name, newKey()).verifierKey,
  );
  const signers = { verifiers: [parseVerifierKey(ours ?? "")] };
  const naming = (log: string) => parseWitnessPolicy(Buffer.from(`log ${log}\nquorum none\n`));
  requirePolicyFor(naming(ours ?? ""), signers);
  requirePolicyFor(parseWitnessPolicy(Buffer.from("quorum none\n")), signers);
  assert.throws(() => requirePolicyFor(naming(other ?? ""), signers), misconfigured);
});
