import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { readScts } from "../../src/verify/sct.ts";
import { checkNow, holding } from "../../src/verify/signature-check.ts";
import { parseCertificate } from "../../src/x509/certificate.ts";
import { trustOf } from "../corpus/case-trust.ts";
import { type Case, type Corpus, openCorpus } from "../corpus/manifest.ts";

const CORPUS = new URL("../../../shared/corpus", import.meta.url).pathname;
const skip = existsSync(`${CORPUS}/MANIFEST.json`)
  ? false
  : "there is no ../shared/corpus beside this repository";

describe("the SCTs of the corpus", { skip }, () => {
  if (skip !== false) return;
  const corpus = openCorpus(CORPUS);

  /** The logs whose SCTs hold, for each certificate of the case. */
  function logsOf(one: Case): string[][] {
    const { instances } = trustOf(one, corpus);
    return certificatesOf(one, corpus).map((der) => {
      const leaf = parseCertificate(der);
      const claims = instances.flatMap(({ certificateAuthorities, ctLogs }) =>
        certificateAuthorities
          .flatMap(({ chain }) => chain)
          .filter(({ certificate }) => Buffer.compare(certificate.subject, leaf.issuer) === 0)
          .flatMap(({ certificate }) => readScts(leaf, certificate, ctLogs)),
      );
      return checkNow(holding([claims]))[0].map(({ log }) => log);
    });
  }

  const good = corpus.cases.filter(
    (one) =>
      one.expected === "verified" && one.requirements?.scts === 1 && certificatesOf(one, corpus).length > 0,
  );
  test(`hold in all of ${good.length} good cases`, () => {
    assert.ok(good.length > 150);
    const without = good.filter((one) => logsOf(one).some((logs) => logs.length === 0));
    assert.deepEqual(
      without.map(({ id }) => id),
      [],
    );
  });

  test("do not hold under a log's wrong key", () => {
    const bad = corpus.cases.find(({ id }) => id === "conformance/invalid-ct-key");
    assert.ok(bad);
    assert.deepEqual(logsOf(bad), [[]]);
  });
});

interface SigstoreBundle {
  readonly verificationMaterial?: {
    readonly certificate?: { readonly rawBytes: string };
    readonly x509CertificateChain?: { readonly certificates: readonly { readonly rawBytes: string }[] };
  };
}

/** The signing certificates of a Sigstore bundle, or of the several in npm's answer; none of any other file. */
function certificatesOf({ files, format }: Case, corpus: Corpus): Buffer[] {
  if (!format.startsWith("sigstore-bundle-v") && format !== "npm-attestations") return [];
  const json = JSON.parse(corpus.read(files.bundle).toString());
  const bundles: SigstoreBundle[] =
    format === "npm-attestations"
      ? json.attestations.map(({ bundle }: { bundle: SigstoreBundle }) => bundle)
      : [json];
  return bundles.flatMap(({ verificationMaterial: material }) => {
    const { rawBytes } = material?.certificate ?? material?.x509CertificateChain?.certificates[0] ?? {};
    return rawBytes === undefined ? [] : [Buffer.from(rawBytes, "base64")];
  });
}
