import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, test } from "node:test";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import type { JsonObject } from "../../src/in-toto-attestation/types.ts";
import { embeddedPublicGood } from "../../src/trust/embedded.ts";
import { createTrust, extendsTrust, parseTrust, type TrustDocument } from "../../src/trust/snapshot.ts";
import type { TrustedKey } from "../../src/trust/trusted-key.ts";
import type { X509Root } from "../../src/trust/x509-root.ts";
import { CODE_SIGNING, TIME_STAMPING } from "../../src/x509/oids.ts";
import { issue, keyPem, pemOf } from "./certificates.ts";

type Changes = Record<string, unknown>;

const pem = (key: KeyObject) => key.export({ type: "spki", format: "pem" }).toString();
const newKey = (name: string): TrustedKey => ({
  name,
  publicKey: pem(generateKeyPairSync("ed25519").publicKey),
});

const instance = embeddedPublicGood();

const refuses = (document: unknown) =>
  assert.throws(() => parseTrust(Buffer.from(JSON.stringify(document))), {
    name: "VouchsafeError",
    code: "invalid-trust",
  });

/** A copy of the trusted root with the first member of a list changed. */
function withFirst(list: string, change: (member: Changes) => Changes): TrustDocument {
  const root: Record<string, Changes[]> = JSON.parse(JSON.stringify(instance.trustedRoot));
  const [first = {}, ...rest] = root[list] ?? [];
  const trustedRoot = { ...root, [list]: [change(first), ...rest] } as unknown as JsonObject;
  return { sigstore: [{ name: "changed", trustedRoot }], keys: [] };
}

describe("a snapshot", () => {
  test("is named by the hash of its canonical bytes, whatever the order of members", () => {
    const { name, publicKey } = newKey("k");
    const one = createTrust({ sigstore: [instance], keys: [{ name, publicKey }] });
    const other = parseTrust(
      Buffer.from(JSON.stringify({ keys: [{ publicKey, name }], sigstore: [instance] }, null, 2)),
    );
    assert.equal(one.hash, other.hash);
    assert.deepEqual(parseTrust(one.bytes).bytes, one.bytes);
    assert.notEqual(one.hash, createTrust({ sigstore: [instance], keys: [] }).hash);
  });

  test("asks by itself for log entries and SCTs where the instance runs logs, and always for a time", () => {
    const thresholds = (trustedRoot: JsonObject) =>
      createTrust({ sigstore: [{ name: "x", trustedRoot }], keys: [] }).instances[0]?.thresholds;
    assert.deepEqual(thresholds(instance.trustedRoot), { logEntries: 1, scts: 1, timestamps: 1 });
    const { tlogs: _, ctlogs: __, ...without } = instance.trustedRoot;
    assert.deepEqual(thresholds(without), { logEntries: 0, scts: 0, timestamps: 1 });
  });
});

test("says which keys are one and the same", () => {
  const { publicKey } = newKey("k");
  const keys = [newKey("other"), { name: "old", publicKey }, { name: "new", publicKey }];
  assert.throws(() => createTrust({ sigstore: [], keys }), { message: /same publicKey: old, new/ });
});

describe("a trusted root", () => {
  const instanceOf = (document: TrustDocument) => createTrust(document).instances[0];

  test("may be of any version there is, and of no other", () => {
    const versioned = (mediaType: string) => ({
      sigstore: [{ name: "x", trustedRoot: { ...instance.trustedRoot, mediaType } }],
      keys: [],
    });
    for (const version of ["+json;version=0.1", ".v0.1+json", ".v0.2+json"]) {
      assert.ok(instanceOf(versioned(`application/vnd.dev.sigstore.trustedroot${version}`)));
    }
    refuses(versioned("application/vnd.dev.sigstore.trustedroot.v9+json"));
  });

  test("names a log's origin by its address, with or without a scheme", () => {
    const originOf = (baseUrl: string) =>
      instanceOf(withFirst("tlogs", (log) => ({ ...log, baseUrl })))?.logs[0];
    for (const [baseUrl, origin] of [
      ["https://rekor.sigstore.dev", "rekor.sigstore.dev"],
      ["http://localhost:8000/", "localhost:8000"],
      ["log.example.org/2026/", "log.example.org/2026"],
      ["https://log.example.org/2026", "log.example.org/2026"],
    ] as const) {
      assert.equal(originOf(baseUrl)?.origin, origin);
    }
    assert.equal(originOf("")?.origin, undefined);
    refuses(withFirst("tlogs", (log) => ({ ...log, baseUrl: "https://" })));
    refuses(withFirst("tlogs", (log) => ({ ...log, baseUrl: "https://log.example.org/?x" })));
  });

  test("names a log's key in checkpoints where that is not the log's id", () => {
    const logWith = (changes: Changes) =>
      instanceOf(withFirst("tlogs", (log) => ({ ...log, ...changes })))?.logs[0];
    const named = logWith({ checkpointKeyId: { keyId: "AQIDBA==" } });
    assert.deepEqual(named?.checkpointKeyId, Buffer.of(1, 2, 3, 4));
    assert.equal(logWith({ checkpointKeyId: null })?.checkpointKeyId, undefined);
    assert.ok((named?.spki.length ?? 0) > 0);
  });
});

describe("what a document says of its own authorities and keys", () => {
  const root = issue("root");
  const certificates = pemOf(issue("issuing", { issuer: root }), root);
  const x509: X509Root = { name: "own", certificates, uses: ["attestations"] };

  test("is there to verify with, and asks for a time at least", () => {
    const snapshot = createTrust({ sigstore: [], keys: [], x509: [x509] });
    assert.equal(snapshot.x509[0]?.authorities[0]?.chain.length, 2);
    assert.deepEqual(snapshot.x509[0]?.thresholds, { logEntries: 0, timestamps: 1 });
    const types = ["https://slsa.dev/provenance/v1"];
    const [key] = createTrust({ sigstore: [], keys: [{ ...newKey("k"), predicateTypes: types }] }).keys;
    assert.deepEqual(key?.predicateTypes, new Set(types));
  });

  test("changes no hash of a document that says nothing of it", () => {
    const { hash, x509: none } = createTrust({ sigstore: [], keys: [] });
    assert.equal(hash, sha256(Buffer.from('{"keys":[],"sigstore":[]}')));
    assert.deepEqual(none, []);
  });

  test("is refused when it is of another shape", () => {
    const refusesRoot = (changes: object) =>
      refuses({ sigstore: [], keys: [], x509: [{ ...x509, ...changes }] });
    refusesRoot({ uses: [] });
    refusesRoot({ uses: ["attestations", "attestations"] });
    refusesRoot({ uses: ["everything"] });
    for (const usage of [CODE_SIGNING, TIME_STAMPING]) {
      const certificates = pemOf(issue("for one use", { extendedKeyUsages: [usage] }));
      refusesRoot({ certificates, uses: ["attestations", "timestamps"] });
    }
    refusesRoot({ thresholds: { timestamps: 0 } });
    refusesRoot({ thresholds: { scts: 1 } });
    refusesRoot({ certificates: "" });
    refusesRoot({ certificates: certificates.slice(1) });
    refusesRoot({ certificates: `${certificates}${keyPem(root)}` });
    refusesRoot({ validFrom: "2026-01-01T00:00:00Z", validUntil: "2025-01-01T00:00:00Z" });
    refusesRoot({ more: 1 });
    refuses({ sigstore: [], keys: [], x509: [x509, x509] });
    refuses({ sigstore: [{ ...instance, name: "own" }], keys: [], x509: [x509] });
    for (const predicateTypes of [[], "all", [""], [1]]) {
      refuses({ sigstore: [], keys: [{ ...newKey("k"), predicateTypes }] });
    }
  });

  test("extends what went before only as it was, and behind it", () => {
    const other = { ...x509, name: "other" };
    const trust = (roots: readonly X509Root[], sigstore: TrustDocument["sigstore"] = []) =>
      createTrust({ sigstore, keys: [], x509: roots });
    assert.ok(extendsTrust(trust([x509, other]), trust([x509])));
    assert.ok(extendsTrust(trust([x509]), createTrust({ sigstore: [], keys: [] })));
    for (const next of [
      trust([]),
      trust([other]),
      trust([other, x509]),
      trust([{ ...x509, validUntil: "2030-01-01T00:00:00Z" }]),
      trust([{ ...x509, uses: ["attestations", "timestamps"] }]),
      trust([{ ...x509, thresholds: { timestamps: 2 } }]),
      trust([x509], [instance]),
    ]) {
      assert.equal(extendsTrust(next, trust([x509])), false);
    }
    const key = newKey("k");
    const keyed = (changes: object) => createTrust({ sigstore: [], keys: [{ ...key, ...changes }] });
    assert.equal(extendsTrust(keyed({ predicateTypes: ["a"] }), keyed({})), false);
  });
});

test("a log's RSA key is read in the encoding that its details name", () => {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const read = (keyDetails: string, type: "spki" | "pkcs1") => {
    const rawBytes = publicKey.export({ type, format: "der" }).toString("base64");
    return withFirst("ctlogs", (log) => ({
      ...log,
      publicKey: { ...(log.publicKey as Changes), keyDetails, rawBytes },
    }));
  };
  for (const [details, type, other] of [
    ["PKIX_RSA_PKCS1V15_2048_SHA256", "spki", "pkcs1"],
    ["PKCS1_RSA_PKCS1V5", "pkcs1", "spki"],
  ] as const) {
    const [instance] = createTrust(read(details, type)).instances;
    assert.deepEqual(Buffer.from(instance?.ctLogs[0]?.spki ?? []), spki);
    refuses(read(details, other));
  }
});

describe("a trust document is refused", () => {
  test("with an unknown member anywhere", () => {
    refuses({ sigstore: [], keys: [], more: 1 });
    refuses({ sigstore: [{ ...instance, more: 1 }], keys: [] });
    refuses({ sigstore: [], keys: [{ ...newKey("k"), more: 1 }] });
    refuses(withFirst("tlogs", (log) => ({ ...log, more: 1 })));
  });

  test("with a log key trusted since for ever", () => {
    for (const list of ["tlogs", "ctlogs"]) {
      refuses(
        withFirst(list, (log) => ({ ...log, publicKey: { ...(log.publicKey as Changes), validFor: {} } })),
      );
      const end = { validFor: { end: "2100-01-01T00:00:00Z" } };
      refuses(withFirst(list, (log) => ({ ...log, publicKey: { ...(log.publicKey as Changes), ...end } })));
    }
  });

  test("with a key or certificate that cannot be read, or of a kind that is not supported", () => {
    const withKey = (changes: Changes) =>
      withFirst("tlogs", (log) => ({ ...log, publicKey: { ...(log.publicKey as Changes), ...changes } }));
    refuses(withKey({ rawBytes: "AAAA" }));
    refuses(withKey({ rawBytes: "not base64" }));
    refuses(withKey({ keyDetails: "PKIX_ECDSA_SECP256K1" }));
    refuses(withKey({ keyDetails: "constructor" }));
    const chain = (certificates: unknown) =>
      withFirst("certificateAuthorities", (ca) => ({ ...ca, certChain: { certificates } }));
    refuses(chain([]));
    refuses(chain([{ rawBytes: "AAAA" }]));
  });

  test("with a range that ends before it starts, or a time that is none", () => {
    const range = (validFor: unknown) => withFirst("certificateAuthorities", (ca) => ({ ...ca, validFor }));
    refuses(range({ start: "2026-01-01T00:00:00Z", end: "2025-01-01T00:00:00Z" }));
    for (const start of ["2026-02-30T00:00:00Z", "2026-01-01", "yesterday", "2026-01-01T00:00:00", 0]) {
      refuses(range({ start }));
    }
  });

  test("with two instances or keys of one name, or one key under two names", () => {
    refuses({ sigstore: [instance, instance], keys: [] });
    refuses({ sigstore: [], keys: [newKey("k"), newKey("k")] });
    const key = newKey("k");
    refuses({ sigstore: [], keys: [key, { ...key, name: "other" }] });
  });

  test("with a threshold below what the instance asks for", () => {
    refuses({ sigstore: [{ ...instance, thresholds: { logEntries: 0 } }], keys: [] });
    refuses({ sigstore: [{ ...instance, thresholds: { timestamps: 0 } }], keys: [] });
    refuses({ sigstore: [{ ...instance, thresholds: { scts: 1.5 } }], keys: [] });
  });

  test("with a key of another type, too weak, private, or not a key", () => {
    const keys = (publicKey: string) => ({ sigstore: [], keys: [{ name: "k", publicKey }] });
    refuses(keys(pem(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey)));
    refuses(keys(pem(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey)));
    refuses(keys(pem(generateKeyPairSync("x25519").publicKey)));
    const { privateKey } = generateKeyPairSync("ed25519");
    refuses(keys(privateKey.export({ type: "pkcs8", format: "pem" }).toString()));
    refuses(keys("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"));
  });

  test("that is no JSON", () => {
    assert.throws(() => parseTrust(Buffer.from("{")), { code: "invalid-trust" });
    refuses(null);
    refuses([]);
  });
});

describe("extendsTrust", () => {
  const key = newKey("k");
  const trust = (sigstore: TrustDocument["sigstore"], keys: readonly TrustedKey[]) =>
    createTrust({ sigstore, keys });

  test("what is added extends", () => {
    const previous = trust([instance], [key]);
    assert.ok(extendsTrust(previous, previous));
    assert.ok(extendsTrust(trust([instance], [newKey("new"), key]), previous));
    assert.ok(extendsTrust(trust([instance, { ...instance, name: "second" }], [key]), previous));
    const { timestampAuthorities: _, ...fewer } = instance.trustedRoot;
    assert.ok(extendsTrust(previous, trust([{ name: instance.name, trustedRoot: fewer }], [key])));
  });

  test("what is removed, changed, narrowed or overtaken does not", () => {
    const previous = trust([instance], [key]);
    const { timestampAuthorities: _, ...fewer } = instance.trustedRoot;
    const notExtending = [
      trust([instance], []),
      trust([], [key]),
      trust([instance], [{ ...key, validUntil: "2100-01-01T00:00:00Z" }]),
      trust([instance], [{ ...key, name: "renamed" }]),
      trust([{ ...instance, name: "renamed" }], [key]),
      trust([{ ...instance, thresholds: { logEntries: 2 } }], [key]),
      trust([{ ...instance, trustedRoot: fewer }], [key]),
      trust([{ ...instance, name: "first" }, instance], [key]),
    ];
    for (const next of notExtending) assert.equal(extendsTrust(next, previous), false);
  });
});
