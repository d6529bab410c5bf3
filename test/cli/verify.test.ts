import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { VerifyOptions } from "../../src/cli/verify/offline.ts";
import { CHECKLIST } from "../../src/verify/checklist.ts";
import { ACTIONS_ISSUER, actionsClaims, actionsIdentity } from "../sigstore/github-actions.ts";
import { slsaProvenance, statementAbout } from "../sigstore/provenance.ts";
import { envelope, SIGNERS, trustedKey } from "../verify/envelopes.ts";
import { artifact, mutated, type SignedBundles, signBundles } from "../verify/signed-bundles.ts";
import { type OfflineHouse, openOfflineHouse, tell } from "./offline.ts";

const IDENTITY = actionsIdentity(actionsClaims());
const signer = { certificateIdentity: IDENTITY, certificateOidcIssuer: ACTIONS_ISSUER };

let signed: SignedBundles;
let house: OfflineHouse;
/** Paths. */
let widget: string;
let other: string;
let provenance: string;
let root: string;
before(async () => {
  [signed, house] = await Promise.all([signBundles(), openOfflineHouse()]);
  widget = await house.write("widget.tgz", artifact.bytes);
  other = await house.write("other.tgz", "another");
  provenance = await house.write("provenance.json", signed.provenance);
  root = await house.write("root.json", signed.sigstore.trustedRoot);
});
after(async () => {
  await signed?.sigstore.close();
  await house?.close();
});

const by = (options: Partial<VerifyOptions>): VerifyOptions => ({
  bundle: [provenance],
  trustedRoot: [root],
  ...options,
});

/** What differs from run to run. */
const settled = (text: string) =>
  text
    .replace(/20\d\d-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replace(/[0-9a-f]{96,}|[0-9a-f]{64}|[0-9a-f]{12}…/g, "HEX")
    .replace(/localhost:\d+|127\.0\.0\.1:\d+/g, "LOG")
    .replace(/(entry |"logIndex":)\d+/g, (_, start) => `${start}0`)
    .replace(/(timestamp authority |"timestamp-authority","name":")[^\n"]+/g, "$1TSA");

describe("what is told", () => {
  test("in words: each step in the order of the checklist, with what it found", async () => {
    const { words, notes, verdict } = await tell(widget, by(signer));
    assert.equal(verdict.verified, true);
    assert.equal(notes, "");
    const golden = [
      "holds format      application/vnd.dev.sigstore.bundle.v0.3+json",
      "holds time        TIME by the log LOG",
      "                  TIME by the timestamp authority TSA",
      "holds certificate issued by sigstore",
      "holds sct         TIME by the log HEX",
      "holds log         LOG entry 0, dsse 0.0.1, proven to be included",
      "holds signature   of the certificate's key over the content",
      `holds identity    ${IDENTITY} (${ACTIONS_ISSUER})`,
      "holds statement   https://slsa.dev/provenance/v1",
      "holds subject     sha256:HEX",
      `verified ${widget}`,
    ];
    assert.deepEqual(settled(words).trimEnd().split("\n"), golden);
  });

  test("with signs and colours on a terminal that shows them, and with words anywhere else", async () => {
    const utf8 = { LANG: "en_GB.UTF-8" };
    const shown = async (env: NodeJS.ProcessEnv, isTTY: boolean) =>
      (await tell(widget, by(signer), { env, isTTY })).words;
    assert.ok((await shown(utf8, true)).startsWith("\u001b[32m✓\u001b[0m format "));
    assert.match(await shown({ ...utf8, NO_COLOR: "1" }, true), /^✓ format /);
    for (const [env, isTTY] of [
      [utf8, false],
      [{ LANG: "C" }, true],
      [{ ...utf8, TERM: "dumb" }, true],
    ] as const) {
      assert.ok(/^\W*(?:32m)?holds/.test(await shown(env, isTTY)), JSON.stringify(env));
    }
  });

  test("as one JSON value of a shape that programs may rely on", async () => {
    const { report } = await tell(widget, by(signer));
    assert.deepEqual(JSON.parse(settled(JSON.stringify(report))), {
      verified: true,
      artifact: { digests: ["sha256:HEX", "sha384:HEX", "sha512:HEX"], file: widget },
      trust: "sha256:HEX",
      evidence: { file: provenance, id: "sha256:HEX" },
      steps: [
        {
          step: "format",
          outcome: "passed",
          found: { mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json", content: "envelope" },
        },
        {
          step: "time",
          outcome: "passed",
          found: [
            { source: "log", name: "LOG", time: "TIME" },
            { source: "timestamp-authority", name: "TSA", time: "TIME" },
          ],
        },
        { step: "certificate", outcome: "passed", found: { chain: ["sigstore"] } },
        { step: "sct", outcome: "passed", found: [{ log: "HEX", time: "TIME" }] },
        {
          step: "log",
          outcome: "passed",
          found: [{ log: "LOG", logIndex: 0, kind: "dsse 0.0.1", proven: true }],
        },
        { step: "signature", outcome: "passed" },
        { step: "identity", outcome: "passed" },
        { step: "statement", outcome: "passed", found: { predicateType: "https://slsa.dev/provenance/v1" } },
        { step: "subject", outcome: "passed", found: { digest: "sha256:HEX" } },
      ],
      signer: report.signer,
      subjects: [{ name: artifact.name, digests: ["sha256:HEX"] }],
      others: [],
    });
    assert.ok(report.signer?.case === "certificate");
    assert.equal(report.signer.identity, IDENTITY);
    assert.equal(report.signer.claims.runnerEnvironment, "github-hosted");
  });

  test("of what is refused: the steps up to the one that failed, its code, and what to do", async () => {
    const { words, notes, report } = await tell(other, by(signer));
    assert.match(
      words,
      /^fails subject {5}the evidence does not name this artifact\nrefused .*other\.tgz\n$/m,
    );
    assert.match(notes, /another artifact[\s\S]*code: subject-mismatch/);
    assert.deepEqual(report.error, {
      code: "subject-mismatch",
      step: "subject",
      message: "the evidence does not name this artifact",
    });
    assert.deepEqual(report.subjects?.[0]?.name, artifact.name, "what it does name is told");
  });

  test("of a file that is empty: that it is, and what to do", async () => {
    const empty = await house.write("empty.json", "");
    const { words, notes } = await tell(widget, by({ ...signer, bundle: [empty] }));
    assert.match(words, /^fails format {6}not strict JSON: it is empty$/m);
    assert.match(notes, /fetch it anew[\s\S]*code: malformed-json/);
  });

  test("of what nothing is known: no step is claimed to hold", async () => {
    const bad = await house.write(
      "bad.json",
      mutated(signed.provenance, (copy) => {
        copy.dsseEnvelope.signatures = [{ sig: Buffer.from("no signature").toString("base64") }];
      }),
    );
    const { report } = await tell(widget, by({ ...signer, bundle: [bad] }));
    assert.equal(report.signer, undefined);
    const [format, ...rest] = report.steps;
    assert.equal(format?.outcome, "passed");
    assert.ok(rest.every(({ outcome }) => outcome === "failed" || outcome === "not-reached"));
    assert.deepEqual(
      report.steps.map(({ step }) => step),
      [...CHECKLIST],
    );
  });
});

describe("what is asked", () => {
  const glob = (text: string) => ({ certificateIdentityGlob: text, certificateOidcIssuer: ACTIONS_ISSUER });
  const cases: readonly (readonly [string, Partial<VerifyOptions>, string | undefined])[] = [
    ["the identity exactly", signer, undefined],
    ["another identity", { ...signer, certificateIdentity: `${IDENTITY}x` }, "identity signer-mismatch"],
    ["a part of the identity", { ...signer, certificateIdentity: "acme/widget" }, "identity signer-mismatch"],
    [
      "another issuer",
      { ...signer, certificateOidcIssuer: `${ACTIONS_ISSUER}/` },
      "identity signer-mismatch",
    ],
    ["a glob", glob("https://github.com/acme/*/.github/workflows/*@refs/heads/main"), undefined],
    [
      "a glob that matches its beginning alone",
      glob("https://github.com/acme/*"),
      "identity signer-mismatch",
    ],
    ["a glob that matches its end alone", glob("**refs/heads"), "identity signer-mismatch"],
    ["anybody", { anySigner: true }, undefined],
    [
      "its predicate type",
      { ...signer, predicateType: ["https://example.com/a", "https://slsa.dev/provenance/v1"] },
      undefined,
    ],
    [
      "another predicate type",
      { ...signer, predicateType: ["https://slsa.dev/provenance"] },
      "statement statement-mismatch",
    ],
    [
      "a summary, of what is none",
      { ...signer, verifierId: "v", resourceUri: "r" },
      "statement statement-mismatch",
    ],
    ["the public-good instance", { ...signer, trustedRoot: [] }, "certificate certificate-invalid"],
  ];
  for (const [name, options, failed] of cases) {
    test(`${name}: ${failed ?? "verified"}`, async () => {
      assert.equal((await tell(widget, by(options))).failed, failed);
    });
  }

  test("of whom anybody may have signed is told who did, and how to ask for that", async () => {
    const { notes, words } = await tell(widget, by({ anySigner: true }));
    assert.match(words, /^ {6}identity {4}anybody may have signed/m);
    assert.ok(
      notes.includes(`--certificate-identity ${IDENTITY} --certificate-oidc-issuer ${ACTIONS_ISSUER}`),
    );
  });

  test("of a key: that it signed, and no other", async () => {
    const [first, second] = SIGNERS;
    assert.ok(first && second);
    const [key, stranger] = await Promise.all(
      [first, second].map((one) => house.write(`${one.name}.pem`, trustedKey(one).publicKey)),
    );
    assert.ok(key && stranger);
    const statement = slsaProvenance([artifact]);
    const dsse = await house.write("dsse.json", envelope([first], { statement }));
    const verified = await tell(widget, { bundle: [dsse], key: [key] });
    assert.match(verified.words, /^ {6}certificate a key signed\n/m);
    assert.match(verified.words, /^holds identity {4}key p256.pem$|^holds identity {4}key p256$/m);
    assert.equal((await tell(widget, { bundle: [dsse], key: [stranger] })).failed, "signature unknown-key");
    assert.equal((await tell(widget, { bundle: [dsse], key: [stranger, key] })).failed, undefined);
    assert.equal(
      (await tell(widget, { bundle: [provenance], key: [key], trustedRoot: [root] })).failed,
      "identity signer-mismatch",
      "a key that is named does not open the door to every certificate",
    );
  });

  test("of a verification summary: verifier, resource and levels", async () => {
    const [one] = SIGNERS;
    assert.ok(one);
    const statement = statementAbout([artifact], "https://slsa.dev/verification_summary/v1", {
      verifier: { id: "https://verifier.example" },
      resourceUri: "pkg:generic/widget",
      verificationResult: "PASSED",
      verifiedLevels: ["SLSA_BUILD_LEVEL_2"],
      timeVerified: "2025-01-01T00:00:00Z",
    });
    const key = [await house.write("vsa.pem", trustedKey(one).publicKey)];
    const bundle = [await house.write("vsa.json", envelope([one], { statement }))];
    const asked = { verifierId: "https://verifier.example", resourceUri: "pkg:generic/widget" };
    const failed = async (options: Partial<VerifyOptions>) =>
      (await tell(widget, { bundle, key, ...asked, ...options })).failed;
    assert.equal(await failed({ verifiedLevel: ["SLSA_BUILD_LEVEL_1"] }), undefined);
    for (const options of [
      { verifiedLevel: ["SLSA_BUILD_LEVEL_3"] },
      { verifierId: "https://verifier.example/" },
      { resourceUri: "pkg:generic/gadget" },
    ]) {
      assert.equal(await failed(options), "statement statement-mismatch");
    }
  });
});
