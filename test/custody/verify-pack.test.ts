import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import type { PackCheckName, PackReport } from "../../src/custody/pack/report.ts";
import { openPackVerifier, verifyPack } from "../../src/custody/verify-pack.ts";
import { VouchsafeError } from "../../src/errors.ts";
import { type JsonObject, sha256 } from "../../src/in-toto-attestation/index.ts";
import { parseManifest } from "../../src/oci/manifest.ts";
import { ed25519Signer, type NoteSigner, signNote } from "../../src/tlog/note.ts";
import { buildPack } from "./build-pack.ts";
import { ARTIFACT, byBuilder, firstPolicies, firstTrust, OTHER } from "./evidence.ts";
import {
  editLines,
  logSigner,
  readLines,
  type SmallLog,
  smallLog,
  storyPack,
  tellStory,
} from "./small-log.ts";

const KEY = logSigner.verifierKey;
const pack = storyPack();

function failed(report: PackReport): Set<PackCheckName> {
  assert.equal(
    report.ok,
    report.checks.every(({ status }) => status !== "fails"),
  );
  return new Set(report.checks.filter(({ status }) => status === "fails").map(({ check }) => check));
}

/** Builds the file of a story told another way, and says which checks failed. */
function failures(edit: (lines: JsonObject[]) => JsonObject[]): Set<PackCheckName> {
  return failed(verifyPack(editLines(pack, edit), KEY));
}

test("the custody file of a true story holds, and says so check by check", () => {
  const report = verifyPack(pack, KEY);
  assert.deepEqual(
    report.checks.filter(({ status }) => status === "fails"),
    [],
  );
  assert.equal(report.artifact, ARTIFACT);
  const types = report.events.map(({ type }) => type);
  assert.deepEqual(types.slice(0, 2), ["trust.activated", "policy.activated"]);
  assert.ok(
    types.includes("quarantine.opened") &&
      types.includes("verdict.failed") &&
      types.includes("verdict.passed"),
  );
  for (const check of [
    "checkpoint",
    "inclusion",
    "body",
    "order",
    "chain",
    "contents",
    "activation",
    "evidence",
    "verdict",
  ]) {
    assert.ok(
      report.checks.some((c) => c.check === check),
      check,
    );
  }
});

test("two exports of the same log are the same bytes", () => {
  const log = smallLog();
  tellStory(log);
  assert.deepEqual(buildPack(log.packInput()), buildPack(log.packInput()));
});

test("any single changed byte is noticed, wherever it is", () => {
  // A dense sample of a smaller file and a thinner one of the story; both have every kind of line.
  const log = smallLog();
  log.activateTrust(firstTrust);
  log.activatePolicies(firstPolicies);
  log.push(byBuilder("only run"));
  for (const [bytes, step] of [
    [buildPack(log.packInput()), 2],
    [pack, 101],
  ] as const) {
    assert.equal(verifyPack(bytes, KEY).ok, true);
    for (let i = 0; i < bytes.length; i += step) {
      const changed = bytes.with(i, (bytes[i] as number) ^ (1 << (i % 7)));
      assert.equal(holds(changed), false, `byte ${i}`);
    }
  }
});

test("a byte too many, a byte too few, or a line left out is noticed", () => {
  assert.equal(holds(pack.subarray(0, -1)), false);
  assert.equal(holds(Buffer.concat([pack, Buffer.from("\n")])), false);
  assert.equal(holds(Buffer.concat([pack, Buffer.from("{}\n")])), false);
  for (const [i] of readLines(pack).entries()) {
    assert.equal(holds(editLines(pack, (all) => all.toSpliced(i, 1))), false, `line ${i}`);
    assert.equal(holds(editLines(pack, (all) => all.slice(0, i))), false, `up to line ${i}`);
  }
});

function holds(bytes: Uint8Array): boolean {
  try {
    return verifyPack(bytes, KEY).ok;
  } catch (error) {
    assert.ok(error instanceof VouchsafeError, `${error}`);
    return false;
  }
}

test("another log's key opens nothing", () => {
  const other = ed25519Signer(logSigner.name, generateKeyPairSync("ed25519").privateKey);
  assert.deepEqual(failed(verifyPack(pack, other.verifierKey)), new Set(["checkpoint"]));
  assert.throws(() => verifyPack(pack, "no key"), { code: "invalid-request" });
});

test("bytes that are no custody file are refused", () => {
  const cases: Record<string, Uint8Array> = {
    empty: new Uint8Array(0),
    garbage: Buffer.from("garbage\n"),
    "not UTF-8": Buffer.from([0xff, 0x0a]),
    "another format": editLines(pack, ([header, ...rest]) => [
      { ...header, format: "vouchsafe-custody/v2" },
      ...rest,
    ]),
    "white space": Buffer.from(Buffer.from(pack).toString().replace('"artifact":', '"artifact": ')),
    "a carriage return": Buffer.from(Buffer.from(pack).toString().replaceAll("\n", "\r\n")),
    "an unknown member": editLines(pack, ([header, ...rest]) => [{ ...header, note: "" }, ...rest]),
    "an unknown record": editLines(pack, (lines) => [...lines, { remark: "" }]),
    "base64 of another form": editLines(pack, (lines) =>
      lines.map((l) => ("salt" in l ? { ...l, salt: `${l.salt}=` } : l)),
    ),
    "an artifact that is no digest": editLines(pack, ([header, ...rest]) => [
      { ...header, artifact: "x" },
      ...rest,
    ]),
  };
  for (const [name, bytes] of Object.entries(cases))
    assert.throws(() => verifyPack(bytes, KEY), { code: "pack-invalid" }, name);
});

test("the file of one artifact is none for another", () => {
  assert.ok(failures(([header, ...rest]) => [{ ...header, artifact: OTHER }, ...rest]).has("contents"));
});

test("a checkpoint's further signatures are told, and nothing rests on them", () => {
  const stranger = ed25519Signer("witness.example", generateKeyPairSync("ed25519").privateKey);
  const cosign = (note: string, signers: NoteSigner[]) =>
    signNote(note.slice(0, note.lastIndexOf("\n\n") + 1), signers);
  const cosigned = (signers: NoteSigner[]) =>
    verifyPack(
      storyPack((input) => ({ ...input, checkpoint: cosign(input.checkpoint, signers) })),
      KEY,
    );
  const report = cosigned([logSigner, stranger]);
  assert.deepEqual(failed(report), new Set());
  assert.match(report.checks[0]?.statement ?? "", /witness\.example\+[0-9a-f]{8}/);
  assert.deepEqual(failed(cosigned([stranger])), new Set(["checkpoint"]));
});

test("a changed byte of another's signature is found, or changes nothing that is said", () => {
  const stranger = ed25519Signer("witness.example", generateKeyPairSync("ed25519").privateKey);
  const cosign = (note: string) =>
    signNote(note.slice(0, note.lastIndexOf("\n\n") + 1), [logSigner, stranger]);
  const cosigned = storyPack((input) => ({ ...input, checkpoint: cosign(input.checkpoint) }));
  const whole = verifyPack(cosigned, KEY);
  const begin = Buffer.from(cosigned).indexOf("witness.example");
  for (let i = begin; i < cosigned.indexOf(0x0a); i += 1) {
    const changed = cosigned.with(i, (cosigned[i] as number) ^ 1);
    if (holds(changed))
      assert.deepEqual(verifyPack(changed, KEY).checks.slice(1), whole.checks.slice(1), `${i}`);
  }
});

test("the file is read in pieces as it is read at once, wherever they are cut", () => {
  const whole = verifyPack(pack, KEY);
  for (const size of [1, 7, 4096]) {
    const verifier = openPackVerifier(KEY);
    for (let at = 0; at < pack.length; at += size) verifier.read(pack.subarray(at, at + size));
    assert.deepEqual(verifier.finish(), whole);
  }
});

test("an event of the chain that is left out is missed, with what only it needed", () => {
  const log = smallLog();
  tellStory(log);
  const input = log.packInput();
  for (const [i, { event }] of input.events.entries()) {
    // Without the last event of a chain the file is that of a moment before, unless others rest on it.
    const isLast = !input.events
      .slice(i + 1)
      .some((later) => later.event.about.some((key) => event.about.includes(key)));
    if (isLast) continue;
    const report = verifyPack(buildPack({ ...input, events: input.events.toSpliced(i, 1) }), KEY);
    assert.ok(failed(report).has("chain"), `event ${event.index}`);
  }
});

test("an event of another artifact does not belong into the file", () => {
  const log = smallLog();
  tellStory(log);
  const [whole, others] = [log.packInput(), log.packInput(OTHER)];
  const stranger = others.events.find(
    ({ event }) => !event.about.includes(ARTIFACT) && !event.about.includes("*"),
  );
  assert.ok(stranger);
  const events = [...whole.events, stranger].sort((a, b) => a.event.index - b.event.index);
  assert.ok(failed(verifyPack(buildPack({ ...whole, events }), KEY)).has("contents"));
});

test("records that are repeated, or stand where they are not needed yet, are noticed", () => {
  const twice = (at: number) => failures((lines) => lines.toSpliced(at, 0, lines[at] as JsonObject));
  const lines = readLines(pack);
  const event = lines.findIndex((line) => "event" in line);
  const evidence = lines.findIndex((line) => "evidence" in line);
  assert.ok(twice(event).has("order"));
  assert.deepEqual(twice(evidence), new Set(["contents"]));
  const tooEarly = [
    ...lines.slice(0, 1),
    ...lines.slice(evidence, evidence + 1),
    ...lines.slice(1).toSpliced(evidence - 1, 1),
  ];
  assert.deepEqual(
    failures(() => tooEarly),
    new Set(["contents"]),
  );
});

test("an event out of its place is found", () => {
  const log = smallLog();
  tellStory(log);
  const { events, ...rest } = log.packInput();
  const swapped = buildPack({
    ...rest,
    events: [...events.slice(1, 2), ...events.slice(0, 1), ...events.slice(2)],
  });
  assert.ok(failed(verifyPack(swapped, KEY)).has("order"));
});

/** A log in which this was pushed and recorded as a manifest as well: it says that ARTIFACT lies in it. */
function logWithManifest(): { log: SmallLog; bytes: Uint8Array } {
  const log = smallLog();
  log.activateTrust(firstTrust);
  log.activatePolicies(firstPolicies);
  const envelope = JSON.parse(Buffer.from(byBuilder("run 1")).toString());
  const part = { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: ARTIFACT, size: 1 };
  const bytes = Buffer.from(JSON.stringify({ ...envelope, schemaVersion: 2, config: part, layers: [part] }));
  log.push(bytes);
  const { mediaType, contains } = parseManifest(bytes);
  const manifest = sha256(bytes);
  const body = { manifest, mediaType, size: bytes.length, contained: contains, caller: "token" };
  log.append({ type: "containment.recorded", about: [manifest, ...contains], body });
  return { log, bytes };
}

test("an envelope that is a manifest as well does not spoil the file of what it names", () => {
  const { log, bytes } = logWithManifest();
  const hash = sha256(bytes);
  // Told only so that something rests on it: no such verdict comes out again.
  log.append({
    type: "verdict.failed",
    about: [ARTIFACT],
    body: { restsOn: [hash], trust: firstTrust.hash },
  });
  const input = log.packInput();
  const documents = [...input.documents, { hash, kind: "manifest", bytes } as const];
  const report = verifyPack(buildPack({ ...input, documents }), KEY);
  assert.deepEqual(failed(report), new Set(["verdict"]));
});

test("manifests that no verdict rests on are not in the file: any number of images may hold a layer", () => {
  const { log } = logWithManifest();
  const report = verifyPack(buildPack(log.packInput()), KEY);
  assert.deepEqual(failed(report), new Set());
  assert.ok(report.checks.some(({ check }) => check === "containment"));
});
