import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import type { LogAuthority } from "../../src/trust/sigstore-instance.ts";
import { readCheckpoint } from "../../src/verify/log-checkpoint.ts";
import { checkNow, holding } from "../../src/verify/signature-check.ts";
import { createRekorLog, type RekorLog } from "../sigstore/rekor-log.ts";

const ROOT = Buffer.alloc(32, 7).toString("base64");
const log = createRekorLog({ name: "rekor.example", version: 1 });
const witness = createRekorLog({ name: "witness.example/w1", version: 2 });
const impostor = createRekorLog({ name: "rekor.example", version: 1 });

const text = (origin: string) => `${origin}\n42\n${ROOT}\n`;
const NOTE = log.signCheckpoint(text("rekor.example - 17"));

/** The signature lines of a note. */
function linesOf(note: string): string {
  return note.slice(note.lastIndexOf("\n\n") + 2);
}

/** The size that the checkpoint says, if its signatures hold. */
function open(note: string, logs: readonly LogAuthority[] = [log.authority]): number | undefined {
  const [[found]] = checkNow(holding([[readCheckpoint(note, logs)]]));
  return found?.size;
}

function refuses(note: string, why: string, logs?: readonly LogAuthority[]): void {
  try {
    assert.equal(open(note, logs), undefined, why);
  } catch (error) {
    assert.ok(error instanceof VouchsafeError && error.code === "malformed-checkpoint", `${why}: ${error}`);
  }
}

/** A line of this log's key over another text, under the log's own name. */
function falseLine({ logId, sign }: RekorLog): string {
  const signature = Buffer.concat([logId.subarray(0, 4), sign(Buffer.from("another text\n"))]);
  return `— rekor.example ${signature.toString("base64")}\n`;
}

test("a checkpoint that the log signed holds, with extension lines or without", () => {
  assert.equal(open(NOTE), 42);
  assert.equal(open(log.signCheckpoint(`${text("rekor.example - 17")}Timestamp: 1700000000\n`)), 42);
});

test("its origin is the log's name, or that with the number of a tree", () => {
  for (const [origin, holds] of [
    ["rekor.example", true],
    ["rekor.example - 1193050959916656506", true],
    ["rekor.example - ", false],
    ["rekor.example - 17 ", false],
    ["rekor.example -17", false],
    ["rekor.example - 17 - 18", false],
    ["rekor.example - 1e3", false],
    ["rekor.example.com - 17", false],
    ["rekor.example.com", false],
    ["rekor.exampl", false],
    ["a.rekor.example", false],
    ["Rekor.example", false],
    ["", false],
  ] as const) {
    const note = log.signCheckpoint(text(origin));
    if (holds) assert.equal(open(note), 42, origin);
    else refuses(note, origin);
  }
});

describe("signatures of others", () => {
  const cosignature = linesOf(witness.signCheckpoint(text("rekor.example - 17")));
  const body = `${text("rekor.example - 17")}\n`;

  test("are passed over, before the log's and after it", () => {
    assert.equal(open(NOTE + cosignature), 42);
    assert.equal(open(body + cosignature + linesOf(NOTE)), 42);
    assert.equal(open(NOTE + falseLine(impostor)), 42, "another key under the log's name");
    assert.equal(open(NOTE + linesOf(NOTE).replace("rekor.example", "other.example")), 42);
  });

  test("are none of the log's", () => {
    refuses(body + cosignature, "a witness alone");
    refuses(impostor.signCheckpoint(text("rekor.example - 17")), "another key under the log's name");
    refuses(NOTE.replace("— rekor.example", "— rekor.examplf"), "the log's key under another name");
    refuses(body, "nobody");
  });

  test("do not make up for a false one of the log's", () => {
    refuses(body + falseLine(log), "false");
    refuses(NOTE + falseLine(log), "a good one, then a false one");
    refuses(body + falseLine(log) + linesOf(NOTE), "a false one, then a good one");
    assert.equal(open(NOTE + linesOf(NOTE)), 42, "the same one twice");
    refuses(NOTE + linesOf(NOTE).repeat(50), "so many that it costs");
  });
});

test("notes are parsed strictly", () => {
  refuses(NOTE.replaceAll("\n", "\r\n"), "lines that end in CR LF");
  refuses(NOTE.replace("\n", "\r\n"), "one line that ends in CR LF");
  refuses(NOTE.trimEnd(), "no newline at the end");
  refuses(NOTE.replace("—", "-"), "a hyphen for the dash");
  refuses(log.signCheckpoint(`rekor.example\n042\n${ROOT}\n`), "a size that starts with zero");
  refuses(log.signCheckpoint(`rekor.example\n42\n${ROOT.slice(0, -4)}\n`), "a root that is too short");
  refuses(log.signCheckpoint(`rekor.example\n42\n${ROOT.slice(0, -1)}\n`), "a root without its padding");
  refuses(log.signCheckpoint(`rekor.example\n42\n`), "no root");
});

test("the key is named by the checkpoint key id where the log has one", () => {
  const checkpointKeyId = Buffer.from("0badcafe", "hex");
  const renamed = { ...log.authority, checkpointKeyId };
  const signature = Buffer.concat([checkpointKeyId, log.sign(Buffer.from(text("rekor.example")))]);
  const note = `${text("rekor.example")}\n— rekor.example ${signature.toString("base64")}\n`;
  assert.equal(open(note, [renamed]), 42);
  refuses(note, "its log id is another");
  refuses(NOTE, "named by the log id", [renamed]);
  refuses(note, "too short to be an id", [{ ...renamed, checkpointKeyId: checkpointKeyId.subarray(1) }]);
});

test("of several logs, the one that signed it counts", () => {
  const { origin: _, ...nameless } = log.authority;
  assert.equal(open(NOTE, [impostor.authority, witness.authority, log.authority]), 42);
  refuses(NOTE, "none of them", [impostor.authority, witness.authority]);
  refuses(NOTE, "a log whose address is not known", [nameless]);
  refuses(NOTE, "no logs", []);
});
