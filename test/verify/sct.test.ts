import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, test } from "node:test";
import { DerError } from "../../src/der/reader.ts";
import { oid, sequence, utf8String } from "../../src/der/writer.ts";
import { VouchsafeError } from "../../src/errors.ts";
import type { LogAuthority } from "../../src/trust/sigstore-instance.ts";
import { type LoggedCertificate, readScts } from "../../src/verify/sct.ts";
import { checkNow, holding } from "../../src/verify/signature-check.ts";
import { parseCertificate } from "../../src/x509/certificate.ts";
import fc from "../support/fc.ts";
import {
  CA,
  extension,
  FOR_TIMESTAMPS,
  type Holder,
  issueCertificate,
  newKeys,
} from "./issued-certificates.ts";
import {
  type CtLog,
  ctLog,
  LOGGED_AT,
  listExtension,
  type SctChanges,
  sctExtension,
  sctOf,
  vector,
} from "./scts.ts";

const root = issueCertificate({ name: "root", extensions: [CA] });
const log = ctLog();
const keys = newKeys();
const before = extension(oid("1.2.3"), sequence(utf8String("before")));
const after = extension(oid("1.2.4"), sequence(utf8String("after")), true);

/** The certificate without SCTs, which is the same whenever it is made, but for its signature. */
const plain = { name: "leaf", issuer: root, keys, extensions: [before, after] };

function certified(list: Buffer, extensions = [before, list, after]): Buffer {
  return issueCertificate({ ...plain, extensions }).certificate;
}

function logged(changes: SctChanges = {}, by: CtLog = log): Buffer {
  return certified(sctExtension(sctOf(by, plain, changes)));
}

/** The SCTs that hold. */
function scts(
  leaf: Buffer,
  logs: readonly LogAuthority[] = [log.authority],
  issuer: Holder = root,
): readonly LoggedCertificate[] {
  const claims = readScts(parseCertificate(leaf), parseCertificate(issuer.certificate), logs);
  return checkNow(holding([claims]))[0];
}

const FOUND = [{ log: log.authority.logId, operator: log.authority.operator, time: LOGGED_AT }];

describe("finds the SCTs of known logs", () => {
  test("and none in a certificate without the extension", () => {
    assert.deepEqual(scts(issueCertificate(plain).certificate), []);
  });

  test("wherever the extension stands, and whatever length the rest has", () => {
    for (const extensions of [
      [before, after],
      [after],
      [extension(oid("1.2.5"), Buffer.alloc(200)), before],
      [extension(oid("1.2.5"), Buffer.alloc(300))],
      [FOR_TIMESTAMPS],
    ]) {
      const list = sctExtension(sctOf(log, { ...plain, extensions }));
      for (let at = 0; at <= extensions.length; at += 1) {
        assert.deepEqual(scts(certified(list, extensions.toSpliced(at, 0, list))), FOUND);
      }
    }
  });

  test("with extensions of any length, as in static CT", () => {
    for (const length of [8, 300, 1000]) {
      assert.deepEqual(scts(logged({ extensions: Buffer.alloc(length, 7) })), FOUND);
    }
  });

  test("signed with RSA", () => {
    const rsa = ctLog(generateKeyPairSync("rsa", { modulusLength: 2048 }), 0x0401);
    assert.deepEqual(scts(logged({}, rsa), [rsa.authority]), [
      { log: rsa.authority.logId, operator: rsa.authority.logId, time: LOGGED_AT },
    ]);
  });

  test("beside those of other logs and other versions", () => {
    const other = ctLog();
    const list = sctExtension(
      vector(Buffer.from("01ff", "hex")),
      Buffer.from("01ff", "hex"),
      sctOf(other, plain),
      sctOf(log, plain),
    );
    assert.throws(() => scts(certified(list)), { code: "certificate-invalid" });
    const good = sctExtension(Buffer.from("01ff", "hex"), sctOf(other, plain), sctOf(log, plain));
    assert.deepEqual(scts(certified(good)), FOUND);
    assert.equal(scts(certified(good), [log.authority, other.authority]).length, 2);
  });

  test("at a time of the log, both ends included", () => {
    const during = (start: number, end: number) => [{ ...log.authority, validFor: { start, end } }];
    assert.deepEqual(scts(logged(), during(LOGGED_AT, LOGGED_AT)), FOUND);
    assert.deepEqual(scts(logged(), during(LOGGED_AT + 1, LOGGED_AT + 2)), []);
    assert.deepEqual(scts(logged(), during(LOGGED_AT - 2, LOGGED_AT - 1)), []);
    // One log may stand in a trusted root several times, each for a while.
    assert.deepEqual(scts(logged(), [...during(0, 1), ...during(LOGGED_AT, LOGGED_AT)]), FOUND);
  });
});

describe("counts no SCT", () => {
  const none: Record<string, () => readonly LoggedCertificate[]> = {
    "of another certificate": () => scts(certified(sctExtension(sctOf(log, { ...plain, serial: 8 })))),
    "of a certificate with one extension more": () =>
      scts(certified(sctExtension(sctOf(log, { ...plain, extensions: [before, after, CA] })))),
    "of the extensions in another order": () =>
      scts(certified(sctExtension(sctOf(log, { ...plain, extensions: [after, before] })))),
    "under another issuer's key": () =>
      scts(logged({ issuer: issueCertificate({ name: "root", extensions: [CA] }) })),
    "by another key under the log's id": () => scts(logged({}, { ...ctLog(), authority: log.authority })),
    "of a log that is not known": () => scts(logged(), [ctLog().authority]),
    "of a time that no log will see": () => scts(logged({ time: 2n ** 64n - 1n })),
    "of another version": () => scts(logged({ version: 1 })),
    "that names SHA-384": () => scts(logged({ algorithm: 0x0503 })),
    "that names another kind of key": () => scts(logged({ algorithm: 0x0401 })),
  };
  for (const [name, read] of Object.entries(none)) test(name, () => assert.deepEqual(read(), []));
});

describe("refuses a list that", () => {
  const good = sctOf(log, plain);
  const lists: Record<string, Buffer> = {
    "is empty": sctExtension(),
    "has an empty SCT": sctExtension(good, Buffer.alloc(0)),
    "has seventeen": sctExtension(...Array<Buffer>(17).fill(good)),
    "has something after it": listExtension(Buffer.concat([vector(vector(good)), Buffer.of(0)])),
    "is cut off": listExtension(vector(vector(good)).subarray(0, -1)),
    "is shorter than a length": listExtension(Buffer.of(0)),
    "has an SCT with something after it": sctExtension(sctOf(log, plain, { trailing: Buffer.of(0) })),
    "has an SCT that is cut off": sctExtension(good.subarray(0, -1)),
    "has an SCT without a signature": sctExtension(good.subarray(0, 43)),
    "has half a log id": sctExtension(good.subarray(0, 17)),
    "is in no OCTET STRING": extension(oid("1.3.6.1.4.1.11129.2.4.2"), vector(vector(good))),
  };
  for (const [name, list] of Object.entries(lists)) {
    test(name, () =>
      assert.throws(() => scts(certified(list)), { name: "VouchsafeError", code: "certificate-invalid" }),
    );
  }

  test("takes sixteen", () => {
    assert.equal(scts(certified(sctExtension(...Array<Buffer>(16).fill(good)))).length, 16);
  });
});

describe("whatever becomes of the certificate", () => {
  const leaf = logged({ extensions: Buffer.alloc(8, 7) });
  const { signed } = parseCertificate(leaf);
  const start = signed.byteOffset - leaf.byteOffset;

  /** Undefined where the certificate or its SCTs are refused. */
  function tryScts(certificate: Buffer): readonly LoggedCertificate[] | undefined {
    try {
      return scts(certificate);
    } catch (error) {
      if (error instanceof DerError) return undefined;
      if (error instanceof VouchsafeError && error.code === "certificate-invalid") return undefined;
      throw error;
    }
  }

  test("no bit of it can change below its signature", () => {
    assert.deepEqual(tryScts(leaf), FOUND);
    for (let bit = start * 8; bit < (start + signed.length) * 8; bit += 1) {
      const flipped = Buffer.from(leaf);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.ok((tryScts(flipped) ?? []).length === 0, `bit ${bit & 7} of byte ${bit >> 3}`);
    }
  });

  test("any list is read or refused, and no other error is thrown", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        assert.ok((tryScts(certified(listExtension(vector(vector(Buffer.from(bytes)))))) ?? []).length === 0);
        assert.ok((tryScts(certified(listExtension(Buffer.from(bytes)))) ?? []).length === 0);
      }),
      { numRuns: 300 },
    );
  });
});
