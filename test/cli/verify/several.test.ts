import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { explain } from "../../../src/cli/policy/explain-run.ts";
import { ACTIONS_ISSUER, actionsClaims, actionsIdentity } from "../../sigstore/github-actions.ts";
import { type Sigstore, startSigstore } from "../../sigstore/instance.ts";
import { sha256Hex, slsaProvenance } from "../../sigstore/provenance.ts";
import { recordedTerminal } from "../../support/recorded-terminal.ts";
import { type OfflineHouse, openOfflineHouse, tell } from "../offline.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const WIDGET = { name: "widget-2.0.0.tar", bytes: Buffer.from("the widget") };
const OTHER = { name: "widget-2.0.1.tar", bytes: Buffer.from("another") };
const FORK = actionsClaims({ repository: "mallory/widget" });
const POLICY = fileURLToPath(new URL("../../demo/policy.yaml", import.meta.url));
const signer = {
  certificateIdentity: actionsIdentity(actionsClaims()),
  certificateOidcIssuer: ACTIONS_ISSUER,
};

let sigstore: Sigstore;
let house: OfflineHouse;
/** Paths. */
let widget: string;
let root: string;
let release: string;
let fork: string;
before(async () => {
  [sigstore, house] = await Promise.all([startSigstore(), openOfflineHouse()]);
  widget = await house.write(WIDGET.name, WIDGET.bytes);
  root = await house.write("root.json", sigstore.trustedRoot);
  release = await house.write("release.json", await sigstore.signStatement(slsaProvenance([WIDGET])));
  fork = await house.write(
    "fork.json",
    await sigstore.signStatement(slsaProvenance([WIDGET], FORK), { claims: FORK }),
  );
});
after(async () => {
  await sigstore?.close();
  await house?.close();
});

const json = async (path: string) => JSON.parse(await readFile(path, "utf8"));

describe("several pieces of evidence", () => {
  test("one that passes is enough, and what became of the others is told", async () => {
    const { verdict, words, report } = await tell(widget, {
      bundle: [fork, release],
      trustedRoot: [root],
      ...signer,
    });
    assert.equal(verdict.verified, true);
    assert.match(words, /^\S+release\.json, which the verdict rests on, of 2 pieces/);
    assert.match(words, /^ {2}beside it \S+fork\.json: fails at identity: .*\(signer-mismatch\)$/m);
    assert.deepEqual(report.evidence.file, release);
    assert.deepEqual(
      report.others.map(({ evidence, error }) => [evidence.file, error?.code]),
      [[fork, "signer-mismatch"]],
    );
  });

  test("of none that passes the one that came farthest is told", async () => {
    const broken = await house.write("broken.json", '{"no":"evidence"}');
    const { failed, words } = await tell(widget, {
      bundle: [broken, fork],
      trustedRoot: [root],
      ...signer,
    });
    assert.equal(failed, "identity signer-mismatch");
    assert.match(words, /^\S+fork\.json, which came farthest/);
    assert.match(words, /broken\.json: fails at format: .*\(unknown-evidence-format\)$/m);
  });

  test("come as JSON Lines and in registries' containers, and are counted", async () => {
    const lines = await house.write(
      "both.jsonl",
      `${await readFile(fork, "utf8")}\n\n${await readFile(release, "utf8")}\n`,
    );
    const container = await house.write("github.json", {
      attestations: [{ bundle: await json(fork) }, { bundle: await json(release) }],
    });
    for (const file of [lines, container]) {
      const { verdict, report } = await tell(widget, { bundle: [file], trustedRoot: [root], ...signer });
      assert.equal(verdict.verified, true);
      assert.deepEqual([report.evidence.file, report.evidence.item], [file, 2]);
    }
    const odd = await house.write("odd.json", { attestations: [{ bundle: 7 }] });
    const { failed } = await tell(widget, { bundle: [odd], trustedRoot: [root], ...signer });
    assert.equal(failed, "format unknown-evidence-format");
  });
});

describe("a policy", () => {
  const asked = { policy: [POLICY] };

  test("passes on the evidence that holds, and says at which level", async () => {
    const { verdict, words, report } = await tell(widget, {
      bundle: [fork, release],
      trustedRoot: [root],
      ...asked,
    });
    assert.equal(verdict.verified, true);
    assert.match(words, /^\S+release\.json, which/, "what the policy rests on, and not what came first");
    assert.match(words, /^holds policy {6}widget-release passed: SLSA build level 3$/m);
    const step = report.steps.at(-1);
    assert.equal(step?.step, "policy");
    assert.ok(step.found !== null && typeof step.found === "object" && "slsaLevel" in step.found);
    assert.equal(step.found.slsaLevel, 3);
  });

  test("fails with the nearest miss, though the evidence holds", async () => {
    const { failed, words, report } = await tell(widget, { bundle: [fork], trustedRoot: [root], ...asked });
    assert.equal(failed, "policy verdict-failed");
    assert.match(words, /^fails policy {6}widget-release failed/m);
    assert.match(words, /^ {2}signer: expected .*acme\/widget.*; found .*mallory\/widget/m);
    assert.match(words, /^refused /m);
    assert.deepEqual(report.steps.at(-1)?.outcome, "failed");
  });

  test("narrowed by an identity counts what that signer signed alone", async () => {
    const { failed } = await tell(widget, { bundle: [fork], trustedRoot: [root], ...asked, ...signer });
    assert.equal(failed, "identity signer-mismatch");
    const both = { bundle: [fork, release], trustedRoot: [root], ...asked, ...signer };
    assert.equal((await tell(widget, both)).failed, undefined);
  });

  test("hears evidence about the commit that was built, which is not about the artifact", async () => {
    const reviewed = (await readFile(POLICY, "utf8")).replace(
      "  rules:",
      `  evidence:
    - name: review
      about: source
      predicateTypes: [https://in-toto.io/attestation/human-review/v0.1]
      signers: [{issuer: "${ACTIONS_ISSUER}", identity: "https://github.com/acme/**"}]
  rules:`,
    );
    const policy = [await house.write("reviewed.yaml", reviewed)];
    const review = await house.write(
      "review.json",
      await sigstore.signStatement({
        _type: "https://in-toto.io/Statement/v1",
        subject: [{ digest: { gitCommit: actionsClaims().sha } }],
        predicateType: "https://in-toto.io/attestation/human-review/v0.1",
        predicate: { result: "pass" },
      }),
    );
    const options = { trustedRoot: [root], policy, policyName: "widget-release" };
    const { verdict, words } = await tell(widget, { bundle: [review, release], ...options });
    assert.equal(verdict.verified, true);
    assert.match(words, /^\S+release\.json, which the verdict rests on/);
    assert.match(words, /^ {2}beside it \S+review\.json: counts too, about .*gitCommit:/m);
    const alone = await tell(widget, { bundle: [release], ...options });
    assert.match(alone.words, /evidence\.review: expected .* about the commit /);
    const explained = recordedTerminal();
    const session = { terminal: explained.terminal, json: false };
    const asked = { policyName: "widget-release", artifact: widget, trustedRoot: [root] };
    await explain(session, policy[0] ?? "", { ...asked, evidence: [review, release] }, Date.now());
    assert.doesNotMatch(explained.written.stdout, /does not count/);
    assert.match(explained.written.stdout, /^passed widget-release$/m);
  });

  test("is not reached by evidence about something else", async () => {
    const other = await house.write(OTHER.name, OTHER.bytes);
    const { failed, report } = await tell(other, { bundle: [release], trustedRoot: [root], ...asked });
    assert.equal(failed, "subject subject-mismatch");
    assert.deepEqual(report.steps.at(-1), { step: "policy", outcome: "not-reached" });
  });
});

describe("manifests", () => {
  const part = (bytes: Uint8Array, mediaType = "application/octet-stream") => ({
    mediaType,
    digest: `sha256:${sha256Hex(bytes)}`,
    size: bytes.length,
  });
  const imageOf = (layer: Uint8Array) =>
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: part(Buffer.from("{}\n")),
        layers: [part(layer)],
      }),
    );
  const image = imageOf(WIDGET.bytes);
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [part(image, MANIFEST)],
    }),
  );
  const builtOf = async (bytes: Uint8Array) =>
    house.write(
      "image-release.json",
      await sigstore.signStatement(slsaProvenance([{ name: "widget-image", bytes }])),
    );
  const built = () => builtOf(index);
  const files = async () => [await house.write("index.json", index), await house.write("image.json", image)];

  test("let what an index holds pass by the evidence about the index", async () => {
    const options = { bundle: [await built()], manifest: await files(), trustedRoot: [root] };
    const { verdict, words, report } = await tell(widget, { ...options, policy: [POLICY] });
    assert.equal(verdict.verified, true);
    assert.match(words, /^holds subject {5}sha256:[0-9a-f]{64}, which holds it as its manifest says$/m);
    assert.match(words, /^verified \S+widget-2\.0\.0\.tar$/m);
    const found = report.steps.find(({ step }) => step === "subject")?.found;
    assert.deepEqual(found, { digest: `sha256:${sha256Hex(index)}`, holds: true });
    assert.equal((await tell(widget, { ...options, ...signer })).verdict.verified, true);
  });

  test("let nothing pass that they do not hold, or that holds them", async () => {
    const options = { bundle: [await built()], trustedRoot: [root], policy: [POLICY] };
    const [whole = "", inner = ""] = await files();
    assert.equal((await tell(widget, { ...options, manifest: [inner] })).failed, "subject subject-mismatch");
    const other = await house.write(OTHER.name, OTHER.bytes);
    assert.equal((await tell(other, { ...options, manifest: [whole, inner] })).verdict.verified, false);
    const upward = { ...options, bundle: [release], manifest: [whole, inner] };
    assert.equal((await tell(whole, upward)).failed, "subject subject-mismatch");
  });

  test("that look like one and are a layer hold nothing: what is in an image need not be its builder's", async () => {
    const layer = imageOf(OTHER.bytes);
    const whole = imageOf(layer);
    const manifest = [await house.write("whole.json", whole), await house.write("layer.json", layer)];
    const options = { bundle: [await builtOf(whole)], manifest, trustedRoot: [root] };
    const [, file = ""] = manifest;
    const named = await house.write(OTHER.name, OTHER.bytes);
    for (const asked of [signer, { policy: [POLICY] }]) {
      assert.equal((await tell(file, { ...options, ...asked })).failed, undefined);
      assert.equal((await tell(named, { ...options, ...asked })).failed, "subject subject-mismatch");
    }
  });

  test("that are none are a mistake of the command line", async () => {
    const options = { bundle: [release], trustedRoot: [root], policy: [POLICY] };
    await assert.rejects(tell(widget, { ...options, manifest: [widget] }), /widget.*not strict JSON/);
    const empty = await house.write("empty.json", {});
    await assert.rejects(tell(widget, { ...options, manifest: [empty] }), /not an image index or manifest/);
  });
});
