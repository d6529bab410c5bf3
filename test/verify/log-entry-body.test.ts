import assert from "node:assert/strict";
import { before, test } from "node:test";
import { overDigest, SignedBytes } from "../../src/verify/signed.ts";
import { createRekorLog } from "../sigstore/rekor-log.ts";
import { type LoggedCase, loggedCases, proven } from "./logged-signatures.ts";

type Json = { [name: string]: Json } | Json[] | string;

const logs = {
  1: createRekorLog({ name: "rekor.example", version: 1 }),
  2: createRekorLog({ name: "log1.rekor.example", version: 2 }),
};

let cases: LoggedCase[];
before(async () => {
  cases = await loggedCases();
});

/** Has a log that enters anything enter this body, and says what it proves of the signature. */
function entered({ version, logged }: LoggedCase, body: Uint8Array, kind?: string) {
  const log = logs[version];
  const [entry] = log.enter([body], kind);
  assert.ok(entry);
  return proven(entry, [log.authority], logged);
}

function refuses(one: LoggedCase, body: unknown, why: string): void {
  const bytes = typeof body === "string" ? Buffer.from(body) : Buffer.from(JSON.stringify(body));
  // The outer kind stays, so that it is the body alone that is wrong.
  const { kind, apiVersion } = parse(one);
  assert.throws(
    () => entered(one, bytes, `${kind} ${apiVersion}`),
    { code: "log-entry-invalid" },
    `${one.name}: ${why}`,
  );
}

function parse({ body }: LoggedCase): { [name: string]: Json } {
  return JSON.parse(Buffer.from(body).toString());
}

/** Every place in a body: its path, and what holds it. */
function* placesIn(
  value: Json,
  path = "",
): Generator<{ path: string; holder: { [name: string]: Json }; name: string }> {
  if (typeof value === "string") return;
  for (const name of Object.keys(value)) {
    const holder = value as { [name: string]: Json };
    yield { path: `${path}/${name}`, holder, name };
    yield* placesIn(holder[name] as Json, `${path}/${name}`);
  }
}

/** What nobody vouches for: the hash that a client gives for its envelope where only the envelope's parts are here. */
const FREE: ReadonlyMap<string, readonly string[]> = new Map([
  ["dsse", ["/spec/envelopeHash/value"]],
  ["intoto", ["/spec/content/hash/value"]],
]);

function isFree({ logged }: LoggedCase, kind: unknown, path: string): boolean {
  const hasDocument = logged.content.case === "envelope" && logged.content.documentHash !== undefined;
  return !hasDocument && (FREE.get(`${kind}`) ?? []).includes(path);
}

/** Another text of the same length and alphabet. */
function altered(text: string, at: number): string {
  const other = text[at] === "0" ? "1" : "0";
  return text.slice(0, at) + other + text.slice(at + 1);
}

test("an entry of every kind holds, of the certificate or the key that signed", () => {
  assert.equal(cases.length, 14);
  for (const one of cases) assert.equal(entered(one, one.body)?.proven, true, one.name);
});

test("a body with another value in any place is refused", () => {
  for (const one of cases) {
    for (const { path, name } of placesIn(parse(one))) {
      const changed = parse(one);
      const [place] = [...placesIn(changed)].filter((other) => other.path === path);
      const value = place?.holder[name];
      if (place === undefined || typeof value !== "string") continue;
      for (const at of [0, Math.floor(value.length / 2)]) {
        place.holder[name] = altered(value, at);
        if (isFree(one, changed.kind, path)) {
          assert.ok(entered(one, Buffer.from(JSON.stringify(changed))), `${one.name}: ${path} is free`);
        } else refuses(one, changed, `${path} altered at ${at}`);
      }
    }
  }
});

test("a body without one of its members, with one more, or with a member of another type is refused", () => {
  for (const one of cases) {
    for (const { path, holder, name } of placesIn(parse(one))) {
      const at = (change: (holder: { [name: string]: Json }) => void) => {
        const changed = parse(one);
        const place = [...placesIn(changed)].find((other) => other.path === path);
        assert.ok(place);
        change(place.holder);
        return changed;
      };
      refuses(
        one,
        at((holder) => {
          holder[name] = { none: "such" };
        }),
        `${path} of another type`,
      );
      if (Array.isArray(holder)) continue;
      refuses(
        one,
        at((holder) => {
          holder.more = "";
        }),
        `a member beside ${path}`,
      );
      const mayBeAbsent = path === "/spec/content/payloadHash" && one.name.startsWith("intoto 0.0.1");
      const without = at((holder) => delete holder[name]);
      if (mayBeAbsent) assert.ok(entered(one, Buffer.from(JSON.stringify(without))));
      else refuses(one, without, `${path} absent`);
    }
  }
});

test("a body need not be canonical, but strict JSON", () => {
  for (const one of cases) {
    const text = Buffer.from(one.body).toString();
    assert.ok(entered(one, Buffer.from(JSON.stringify(JSON.parse(text), null, 2))), one.name);
    refuses(one, `${text},`, "something after it");
    refuses(one, text.replace("{", '{"kind":"other",'), "a member twice");
    refuses(one, `\ufeff${text}`, "a byte order mark");
  }
});

test("an entry about another signature, signer or content is refused", () => {
  const elsewhere = new TextEncoder().encode("other");
  for (const one of cases) {
    const { logged } = one;
    const about = (changes: Partial<LoggedCase["logged"]>, why: string) =>
      refuses({ ...one, logged: { ...logged, ...changes } }, parse(one), why);
    for (const other of cases.filter(({ logged: { verifier } }) => verifier.case === logged.verifier.case)) {
      if (Buffer.compare(other.logged.signature, logged.signature) === 0) continue;
      about(other.logged, `taken for ${other.name}`);
      about({ verifier: other.logged.verifier }, "another signer");
    }
    const { content } = logged;
    if (content.case === "envelope" && content.documentHash !== undefined) {
      about({ content: { ...content, documentHash: "00".repeat(32) } }, "another envelope");
      const { documentHash, ...unknown } = content;
      about({ content: unknown }, "an envelope whose bytes are not at hand");
      about({ content: { ...content, payload: new SignedBytes(elsewhere) } }, "another payload");
    } else {
      about(
        { signature: Uint8Array.from(logged.signature, (byte, i) => (i === 9 ? byte ^ 1 : byte)) },
        "signature",
      );
      if (!one.name.startsWith("hashedrekord") && content.case === "envelope") {
        about({ content: { ...content, payload: new SignedBytes(elsewhere) } }, "another payload");
        about({ content: { case: "message" } }, "a message");
      }
      if (one.name.startsWith("hashedrekord")) {
        about({ signed: new SignedBytes(elsewhere) }, "other content");
        about({ signed: overDigest("sha1", elsewhere) }, "content whose digest is not at hand");
      }
    }
  }
});

test("where one names a certificate and the other a bare key, the key must be the same", () => {
  const [certified, bare] = ["certificate", "key"].map((by) =>
    cases.filter(({ name }) => name.endsWith(`by a ${by}`)),
  );
  for (const [i, one] of (certified ?? []).entries()) {
    const other = bare?.[i];
    assert.ok(other && entered({ ...one, logged: other.logged }, one.body), `${one.name}, a key signed`);
    assert.ok(entered({ ...other, logged: one.logged }, other.body), `${other.name}, a certificate signed`);
  }
});

test("a body names one signer, once", () => {
  for (const one of cases) {
    const { verifier } = one.logged;
    const other = cases.find(
      ({ version, logged }) => version === one.version && logged.verifier.case !== verifier.case,
    );
    assert.ok(other);
    const [own, added] = [one, other].map((it) => signerIn(it));
    assert.ok(own && added);
    const changed = JSON.stringify(parse(one));
    if (one.version === 2) {
      refuses(one, changed.replace(own, `${own},${added}`), "a certificate and a key");
      refuses(one, changed.replace(`,${own}`, ""), "neither");
    } else {
      const pem = (text: string) => Buffer.from(text, "base64").toString();
      const both = Buffer.from(pem(own) + pem(added)).toString("base64");
      refuses(one, changed.replace(own, both), "two PEM blocks");
      refuses(one, changed.replace(own, Buffer.from("none").toString("base64")), "no PEM block");
      const relabelled = pem(own).replace(/(BEGIN|END) [A-Z ]+-/g, "$1 X-");
      refuses(
        one,
        changed.replace(own, Buffer.from(relabelled).toString("base64")),
        "another kind of PEM block",
      );
    }
  }
});

/** How a body spells its signer: base64 of PEM, or the member of a verifier. */
function signerIn({ body }: LoggedCase): string | undefined {
  const text = Buffer.from(body).toString();
  return (
    /"(?:x509Certificate|publicKey)":\{"rawBytes":"[^"]+"\}/.exec(text)?.[0] ??
    /LS0tLS1CRUdJTi[^"]+/.exec(text)?.[0]
  );
}

test("where an envelope's very bytes are at hand, the hash of what was uploaded is theirs", () => {
  for (const one of cases.filter(({ name }) => name.startsWith("dsse"))) {
    const { content } = one.logged;
    const { spec } = JSON.parse(Buffer.from(one.body).toString());
    assert.ok(content.case === "envelope");
    const known = (documentHash: string) => ({
      ...one,
      logged: { ...one.logged, content: { ...content, documentHash } },
    });
    assert.ok(entered(known(spec.envelopeHash.value), one.body));
    refuses(known("00".repeat(32)), parse(one), "another envelope");
  }
});

test("a payload that an intoto entry repeats is the envelope's", () => {
  for (const one of cases.filter(({ name }) => name.startsWith("intoto 0.0.2"))) {
    const { content } = one.logged;
    assert.ok(content.case === "envelope");
    const withPayload = (payload: Uint8Array) => {
      const body = JSON.parse(Buffer.from(one.body).toString());
      const inner = Buffer.from(payload).toString("base64");
      body.spec.content.envelope.payload = Buffer.from(inner).toString("base64");
      return body;
    };
    assert.ok(entered(one, Buffer.from(JSON.stringify(withPayload(content.payload.bytes)))));
    refuses(one, withPayload(content.payload.bytes.subarray(1)), "another payload");
  }
});

test("kinds that are not known, were withdrawn or are another's are refused", () => {
  for (const one of cases) {
    for (const kind of ["dsse 0.0.2", "hashedrekord 0.0.3", "rekord 0.0.1", "constructor", ""]) {
      assert.throws(() => entered(one, one.body, kind), { code: "log-entry-invalid" }, kind);
    }
    for (const other of cases) {
      const { kind, apiVersion } = parse(other);
      const { kind: own, apiVersion: ownVersion } = parse(one);
      if (kind === own && apiVersion === ownVersion) continue;
      assert.throws(() => entered(one, one.body, `${kind} ${apiVersion}`), { code: "log-entry-invalid" });
    }
  }
});
