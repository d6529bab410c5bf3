import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyHash, encodeBody } from "../../src/custody/body.ts";
import type { LogEvent } from "../../src/custody/events.ts";
import { encodeLeaf } from "../../src/custody/leaf.ts";
import {
  type ExportHeader,
  writeEntry,
  writeExportHeader,
  writeOwnEntry,
} from "../../src/custody/log-export.ts";
import { type Material, writeRecord } from "../../src/custody/pack.ts";
import { openExportVerifier } from "../../src/custody/verify-log-export.ts";
import { signCheckpoint } from "../../src/tlog/checkpoint.ts";
import { EMPTY_FRONTIER, grow } from "../../src/tlog/frontier.ts";
import { leafHash } from "../../src/tlog/hash.ts";
import { testSigner } from "../support/log-node.ts";
import { acceptedEvent, digestOf, PROJECT } from "../support/pushes.ts";

const signer = testSigner();
const SALT = new Uint8Array(32);
const EVIDENCE = Buffer.from("the evidence");
const MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";

/** A log of one event: evidence was accepted. */
const event = (() => {
  const { type, about, body } = acceptedEvent(digestOf("artifact"), digestOf(EVIDENCE), EVIDENCE.length);
  const committed = bodyHash(SALT, encodeBody({ about, body }));
  const fields = { type, time: 1, project: PROJECT, previous: [null] };
  const leaf = encodeLeaf({ ...fields, bodyHash: committed });
  return { ...fields, index: 0, about, body, salt: SALT, leaf } satisfies LogEvent;
})();
const { root } = grow(EMPTY_FRONTIER, [leafHash(event.leaf)]);
const HEADER: ExportHeader = {
  before: EMPTY_FRONTIER,
  to: 1,
  project: PROJECT,
  checkpoint: signCheckpoint({ origin: signer.name, size: 1, root }, [signer]),
  proof: [],
};
const hash = digestOf(EVIDENCE);
const PRESENT: Material = { case: "evidence", hash, mediaType: MEDIA_TYPE, bytes: EVIDENCE };

function verify(...lines: readonly Uint8Array[]) {
  const verifier = openExportVerifier(signer.verifierKey);
  for (const line of lines) verifier.read(line);
  return verifier.finish();
}
const failing = (...lines: readonly Uint8Array[]) =>
  verify(...lines).checks.flatMap(({ check, status }) => (status === "holds" ? [] : [`${check} ${status}`]));

const own = writeOwnEntry(event);
const header = writeExportHeader(HEADER);

test("a range holds with what came with its events, and says what retention has taken", () => {
  assert.deepEqual(failing(header, writeRecord(PRESENT), own), []);
  const gone = writeRecord({ case: "expired", hash, mediaType: MEDIA_TYPE, expired: 7 });
  assert.deepEqual(failing(header, gone, own), ["evidence not-re-verifiable"]);
  assert.ok(verify(header, gone, own).ok);
});

const other = { ...PRESENT, bytes: Buffer.from("other evidence") };
const REFUSED: readonly (readonly [string, readonly Uint8Array[], string])[] = [
  ["evidence left out", [header, own], "contents"],
  ["evidence altered", [header, writeRecord(other), own], "contents"],
  [
    "evidence of another media type",
    [header, writeRecord({ ...PRESENT, mediaType: "text/plain" }), own],
    "contents",
  ],
  ["evidence twice", [header, writeRecord(PRESENT), writeRecord(PRESENT), own], "contents"],
  ["evidence after its event", [header, own, writeRecord(PRESENT)], "contents"],
  ["evidence with nothing", [header, writeRecord(PRESENT), own, writeRecord(PRESENT)], "contents"],
  ["an event told as an entry", [header, writeEntry(0, event.leaf)], "contents"],
  ["no entry", [header], "inclusion"],
  ["an entry too many", [header, writeRecord(PRESENT), own, own], "inclusion"],
  ["another range", [writeExportHeader({ ...HEADER, to: 2 }), writeRecord(PRESENT), own], "inclusion"],
  ["another body", [header, writeRecord(PRESENT), writeOwnEntry({ ...event, body: {} })], "body"],
  [
    "another salt",
    [header, writeRecord(PRESENT), writeOwnEntry({ ...event, salt: SALT.with(0, 1) })],
    "body",
  ],
  ["another index", [header, writeRecord(PRESENT), writeOwnEntry({ ...event, index: 1 })], "order"],
  [
    "another project",
    [writeExportHeader({ ...HEADER, project: "x" }), writeRecord(PRESENT), own],
    "contents",
  ],
];

test("nothing else holds", () => {
  for (const [what, lines, expected] of REFUSED) {
    const failed = failing(...lines);
    assert.ok(failed.includes(`${expected} fails`), `${what}: ${failed.join(", ")}`);
  }
});

test("a file that is none is refused with the line", () => {
  const files: readonly string[] = [
    "",
    "{}\n",
    `${Buffer.from(header)}x`,
    `${Buffer.from(header)}{"entry":0}\n`,
  ];
  for (const text of files)
    assert.throws(() => verify(Buffer.from(text)), { code: "pack-invalid", message: /^Line [12]: / }, text);
});
