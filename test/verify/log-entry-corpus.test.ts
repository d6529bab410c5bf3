import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { before, describe, test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import {
  isJsonObject,
  type JsonObject,
  parseJson,
  preAuthenticationEncoding,
} from "../../src/in-toto-attestation/index.ts";
import { embedLayer } from "../../src/verify/formats/oci-layer.ts";
import { readEvidence } from "../../src/verify/formats/read-evidence.ts";
import { unpackEvidence } from "../../src/verify/formats/unpack.ts";
import { readCheckpoint } from "../../src/verify/log-checkpoint.ts";
import type { Verifier } from "../../src/verify/log-entry-body.ts";
import { checkNow, holding } from "../../src/verify/signature-check.ts";
import { overDigest, type Signed, SignedBytes } from "../../src/verify/signed.ts";
import type { Content, EvidenceSignature } from "../../src/verify/signed-evidence.ts";
import { trustOf } from "../corpus/case-trust.ts";
import { type Case, type Corpus, openCorpus } from "../corpus/manifest.ts";
import { proven } from "./logged-signatures.ts";

const CORPUS = new URL("../../../shared/corpus", import.meta.url).pathname;
const skip = existsSync(`${CORPUS}/MANIFEST.json`)
  ? false
  : "there is no ../shared/corpus beside this repository";

/** Rekor v2 withdrew this kind; see test/corpus/explained.ts. */
const WITHDRAWN = "dsse 0.0.2";

/** Cases whose log entry is what is wrong with them, each in another way. */
const FALSE_ENTRIES = [
  "conformance/checkpoint-bad-keyhint",
  "conformance/dsse-mismatch-envelope",
  "conformance/dsse-mismatch-sig",
  "conformance/inclusion-proof-corrupted-hash",
  "conformance/incorrect-public-key",
  "conformance/invalid-checkpoint-signature",
  "conformance/rekor2-checkpoint-missing-log-signature",
  "conformance/rekor2-checkpoint-missing-origin",
  "conformance/rekor2-checkpoint-missing-root-hash",
  "conformance/rekor2-checkpoint-missing-size",
  "conformance/rekor2-dsse-mismatch-envelope",
  "conformance/wrong-hashedrekord-artifact",
  "conformance/wrong-hashedrekord-cert-and-sig",
  "sigstore-python/bundle_cve_2022_36056.txt",
  "sigstore-java/bundle-with-bad-checkpoint-signature",
  "sigstore-java/bundle-with-mismatched-set",
  "sigstore-java/bundle.dsse.mismatched-envelope",
  "sigstore-java/bundle.dsse.mismatched-signature",
  "slsa/bundle-test/mismatch-tlog",
];

describe("log entries of the corpus", { skip }, () => {
  let corpus: Corpus;
  before(() => {
    corpus = openCorpus(CORPUS);
  });

  test("of evidence that verifies hold, of every kind", () => {
    const kinds = new Map<string, number>();
    for (const one of corpus.cases.filter(
      ({ expected, ambiguous }) => expected === "verified" && !ambiguous,
    )) {
      for (const { kind, holds } of entriesOf(one, corpus)) {
        if (kind === WITHDRAWN) continue;
        assert.ok(holds, `${one.id}: ${kind}`);
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      }
    }
    const all = ["dsse 0.0.1", "hashedrekord 0.0.1", "hashedrekord 0.0.2", "intoto 0.0.1", "intoto 0.0.2"];
    assert.deepEqual([...kinds.keys()].sort(), all);
  });

  test("that are what is wrong with their evidence do not", () => {
    for (const id of FALSE_ENTRIES) {
      const one = corpus.cases.find((other) => other.id === id);
      assert.ok(one, id);
      const entries = entriesOf(one, corpus);
      assert.ok(entries.length > 0 && entries.every(({ holds }) => !holds), id);
    }
  });

  test("and checkpoints of Rekor are opened as expected", () => {
    const ours = corpus.cases.filter(({ format, files }) => format === "checkpoint" && files.trustedRoot);
    assert.equal(ours.length, 6);
    for (const one of ours) {
      const note = corpus.read(one.files.bundle).toString();
      const logs = trustOf(one, corpus).instances.flatMap((instance) => instance.logs);
      const opened = attempt("malformed-checkpoint", () => {
        const [[found]] = checkNow(holding([[readCheckpoint(note, logs)]]));
        return found;
      });
      assert.equal(opened !== undefined, one.expected === "verified", one.id);
    }
  });
});

/** The log entries in a case's evidence, and whether each holds of who signed. */
function entriesOf(one: Case, corpus: Corpus): { kind: string; holds: boolean }[] {
  const trust = trustOf(one, corpus);
  const logs = trust.instances.flatMap((instance) => instance.logs);
  const keys = trust.keys.map(({ publicKey }): Verifier => {
    return { case: "key", spki: publicKey.export({ type: "spki", format: "der" }) };
  });
  return documentsOf(one, corpus)
    .map(readEvidence)
    .flatMap(({ content, signatures }) =>
      signatures.flatMap(({ signature, signer, logEntries }) =>
        logEntries.map((entry) => ({
          kind: entry.kind,
          holds: verifiersOf(signer, keys).some((verifier) =>
            attempt("log-entry-invalid", () =>
              proven(entry, logs, { signature, verifier, content, signed: signedBy(content, one, corpus) }),
            ),
          ),
        })),
      ),
    );
}

function verifiersOf(signer: EvidenceSignature["signer"], keys: readonly Verifier[]): readonly Verifier[] {
  return signer.case === "certificate" ? [{ case: "certificate", der: signer.leaf }] : keys;
}

/** Formats other than evidence, and containers of none, have no documents here. */
function documentsOf({ files, format }: Case, corpus: Corpus): JsonObject[] {
  if (!/^(?:sigstore-bundle|npm|pypi|oci|dsse)/.test(format)) return [];
  const file = corpus.read(files.bundle);
  const pieces =
    files.envelope === undefined
      ? (unpackEvidence(file) ?? [file])
      : [embedLayer(JSON.parse(file.toString()).layer, corpus.read(files.envelope))];
  return pieces.map((piece) => parseJson(piece)).filter(isJsonObject);
}

function signedBy(content: Content, { files }: Case, corpus: Corpus): Signed {
  if (content.case === "envelope") {
    return new SignedBytes(preAuthenticationEncoding(content.payloadType, content.payload.bytes));
  }
  if (files.artifact !== undefined) return new SignedBytes(corpus.read(files.artifact));
  assert.ok(content.digest);
  return overDigest(content.digest.algorithm, content.digest.bytes);
}

/** What it gives; undefined where it refuses with this code. */
function attempt<T>(code: string, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof VouchsafeError && error.code === code) return undefined;
    throw error;
  }
}
