import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readFulcioIdentity } from "../../src/verify/fulcio-claims.ts";
import { parseSigningCertificate } from "../../src/verify/signing-certificate.ts";
import { certificateWith, der, extension } from "./certificates.ts";

const GITHUB = "https://token.actions.githubusercontent.com";
const FULCIO = "2b0601040183bf3001";

const text = (value: string) => Buffer.from(value);
const fulcio = (number: number) => FULCIO + number.toString(16).padStart(2, "0");
/** Fulcio's newer extensions are DER UTF8Strings, its older ones bare text. */
const newer = (number: number, value: string) => extension(fulcio(number), der(0x0c, text(value)));
const older = (number: number, value: string) => extension(fulcio(number), text(value));
const names = (...parts: Buffer[]) => extension("551d11", der(0x30, ...parts));
const uri = (value: string) => der(0x86, text(value));
const email = (value: string) => der(0x81, text(value));
const otherName = (number: number, value: string) =>
  der(0xa0, der(0x06, Buffer.from(fulcio(number), "hex")), der(0xa0, der(0x0c, text(value))));
const purpose = (oid: string) => extension("551d25", der(0x30, der(0x06, Buffer.from(oid, "hex"))));
const codeSigning = purpose("2b06010505070303");
const authority = extension("551d13", der(0x30, der(0x01, Buffer.of(0xff))));

function readAll(extensions: Buffer[]) {
  const { certificate, identity } = parseSigningCertificate(certificateWith(extensions));
  return { identity, ...readFulcioIdentity(certificate) };
}
const read = (...extensions: Buffer[]) => readAll([codeSigning, ...extensions]);
const refuses = (...extensions: Buffer[]) =>
  assert.throws(() => readAll(extensions), { name: "VouchsafeError", code: "certificate-invalid" });

describe("a signing certificate says who holds it", () => {
  test("by URI, by e-mail address, by host, or by Fulcio's otherName", () => {
    const issuer = newer(8, "https://issuer.example");
    assert.equal(read(names(uri("https://a.example/b")), issuer).identity, "https://a.example/b");
    assert.equal(read(names(email("a@b.example")), issuer).identity, "a@b.example");
    assert.equal(read(names(der(0x82, text("a.example"))), issuer).identity, "a.example");
    assert.equal(read(names(otherName(7, "someone!a")), issuer).identity, "someone!a");
  });

  test("under no issuer where it names none, as GitHub's do for releases", () => {
    assert.equal("issuer" in read(names(email("a@b.example"))), false);
  });

  test("under the issuer of the newer extension, or of the older where that is all", () => {
    const san = names(email("a@b.example"));
    const issuer = "https://i.example";
    for (const extensions of [[newer(8, issuer)], [older(1, issuer)], [older(1, issuer), newer(8, issuer)]]) {
      assert.equal(read(san, ...extensions).issuer, issuer);
    }
  });

  test("with the claims of the newer extensions, and of the older ones where GitHub issued", () => {
    const san = names(uri("https://a.example/b"));
    const old = [older(2, "push"), older(3, "c0ffee"), older(5, "acme/widget"), older(6, "refs/heads/main")];
    assert.deepEqual(read(san, older(1, GITHUB), ...old).claims, {
      buildTrigger: "push",
      sourceRepositoryDigest: "c0ffee",
      sourceRepositoryUri: "https://github.com/acme/widget",
      sourceRepositoryRef: "refs/heads/main",
    });
    const both = read(san, older(1, GITHUB), older(6, "refs/heads/old"), newer(14, "refs/heads/new"));
    assert.deepEqual(both.claims, { sourceRepositoryRef: "refs/heads/new" });
    assert.deepEqual(read(san, older(1, "https://other.example"), ...old).claims, {});
  });
});

describe("a signing certificate is refused", () => {
  const san = names(email("a@b.example"));
  const issuer = newer(8, "https://i.example");

  test("without code signing among its purposes", () => {
    refuses(san, issuer);
    refuses(san, issuer, purpose("2b06010505070301"));
  });

  test("when it is an authority's", () => refuses(codeSigning, san, issuer, authority));

  test("with two issuers, or with one that cannot be one", () => {
    refuses(codeSigning, san, newer(8, "x509:own"));
    refuses(codeSigning, san, issuer, older(1, "https://other.example"));
    refuses(codeSigning, san, newer(8, ""));
    refuses(codeSigning, san, extension(fulcio(8), text("https://i.example")));
  });

  test("without a name, with several, or with one of another kind", () => {
    refuses(codeSigning, issuer);
    refuses(codeSigning, issuer, names());
    refuses(codeSigning, issuer, names(email("a@b.example"), uri("https://a.example")));
    refuses(codeSigning, issuer, names(der(0x87, Buffer.of(127, 0, 0, 1))));
    refuses(codeSigning, issuer, names(otherName(8, "x")));
    refuses(codeSigning, issuer, names(email("")));
    refuses(codeSigning, issuer, names(der(0x86, Buffer.of(0xff))));
  });

  test("with an extension twice", () => {
    refuses(codeSigning, san, issuer, newer(14, "refs/heads/a"), newer(14, "refs/heads/b"));
  });

  test("when its signature value has unused bits", () => {
    const extensions = [codeSigning, san, issuer];
    assert.doesNotThrow(() => parseSigningCertificate(certificateWith(extensions)));
    assert.throws(() => parseSigningCertificate(certificateWith(extensions, 1)), {
      code: "certificate-invalid",
    });
  });
});
