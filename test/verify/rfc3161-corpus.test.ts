import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { type FoundTimestamp, readTimestamp } from "../../src/verify/rfc3161.ts";
import { checkNow, holding } from "../../src/verify/signature-check.ts";
import { SignedBytes } from "../../src/verify/signed.ts";
import { trustOf } from "../corpus/case-trust.ts";
import { type Case, type Corpus, openCorpus } from "../corpus/manifest.ts";

const CORPUS = new URL("../../../shared/corpus", import.meta.url).pathname;
const skip = existsSync(`${CORPUS}/MANIFEST.json`)
  ? false
  : "there is no ../shared/corpus beside this repository";

/** Cases that are about timestamps which must not hold. */
const BAD = /rekor2-timestamp-(outside|untrusted)|late_timestamp|public-good-root/;

/**
 * Their timestamps name a certificate that their trusted root has been given anew since: the same key and serial
 * number, and other bytes (RFC 5816 §2.2.1 has that refused). A log's promise says when they were signed.
 */
const REISSUED: ReadonlySet<string> = new Set([
  "sigstore-js/verify-fixture/V1.MESSAGE_SIGNATURE.WITH_SIGNING_CERT",
  "sigstore-js/verify-fixture/V1.DSSE.WITH_SIGNING_CERT.TLOG_INTOTO",
]);

describe("the timestamps of the corpus", { skip }, () => {
  if (skip !== false) return;
  const corpus = openCorpus(CORPUS);

  function verifyTimestamp(test: Case, response: Buffer, stamped: Buffer): FoundTimestamp | undefined {
    const authorities = trustOf(test, corpus).instances.flatMap((instance) => instance.timestampAuthorities);
    const claims = readTimestamp(response, new SignedBytes(stamped), authorities);
    return checkNow(holding([claims]))[0][0];
  }

  const responses = corpus.cases.filter(({ format }) => format === "rfc3161-response");
  test("there are some", () => assert.ok(responses.length >= 7));
  for (const one of responses) {
    test(`${one.id} is ${one.expected}`, () => {
      const verify = () =>
        verifyTimestamp(one, corpus.read(one.files.bundle), corpus.read(one.files.artifact ?? ""));
      if (one.expected === "verified") assert.ok(verify());
      else assert.throws(verify, { name: "VouchsafeError", code: "time-unverified" });
    });
  }

  const stamped = corpus.cases.flatMap((one) => {
    const { signature, timestamps } = readBundle(one.files.bundle, corpus);
    return timestamps.length === 0 ? [] : [{ one, signature, timestamps }];
  });
  const good = stamped.filter(({ one }) => one.expected === "verified");
  test("there are good bundles with some", () => assert.ok(good.length > 15));
  for (const { one, signature, timestamps } of good) {
    test(`those of ${one.id} hold`, () => {
      for (const timestamp of timestamps) {
        const verify = () => verifyTimestamp(one, timestamp, signature);
        if (REISSUED.has(one.id)) assert.throws(verify, { code: "time-unverified" });
        else assert.ok(verify());
      }
    });
  }

  const bad = stamped.filter(({ one }) => BAD.test(one.id));
  test("there are bundles that were made to have bad ones", () => assert.ok(bad.length >= 4));
  for (const { one, signature, timestamps } of bad) {
    test(`those of ${one.id} are refused`, () => {
      for (const timestamp of timestamps)
        assert.throws(() => verifyTimestamp(one, timestamp, signature), { code: "time-unverified" });
    });
  }
});

/** As much of a Sigstore bundle as matters here; no timestamps for any other file. */
function readBundle(file: string | undefined, corpus: Corpus): { signature: Buffer; timestamps: Buffer[] } {
  let json: SigstoreBundle;
  try {
    json = file === undefined ? {} : (JSON.parse(corpus.read(file).toString()) ?? {});
  } catch {
    json = {};
  }
  const signature = json.messageSignature?.signature ?? json.dsseEnvelope?.signatures?.[0]?.sig ?? "";
  const timestamps = json.verificationMaterial?.timestampVerificationData?.rfc3161Timestamps ?? [];
  return {
    signature: Buffer.from(signature, "base64"),
    timestamps: timestamps.map(({ signedTimestamp }) => Buffer.from(signedTimestamp, "base64")),
  };
}

interface SigstoreBundle {
  readonly messageSignature?: { readonly signature: string };
  readonly dsseEnvelope?: { readonly signatures?: readonly { readonly sig: string }[] };
  readonly verificationMaterial?: {
    readonly timestampVerificationData?: {
      readonly rfc3161Timestamps?: readonly { readonly signedTimestamp: string }[];
    };
  };
}
