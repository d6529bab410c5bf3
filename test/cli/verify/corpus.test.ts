/** Real evidence in each of the formats, verified as somebody would who was given it. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { VerifyOptions } from "../../../src/cli/verify/offline.ts";
import { type OfflineHouse, openOfflineHouse, tell } from "../offline.ts";

const CORPUS = fileURLToPath(new URL("../../../../shared/corpus/", import.meta.url));
const README = fileURLToPath(new URL("../../../README.md", import.meta.url));
const skip = existsSync(`${CORPUS}MANIFEST.json`) ? false : "../shared/corpus is not here";
const file = (path: string) => `${CORPUS}${path}`;

const GITHUB = "https://token.actions.githubusercontent.com";
const by = (certificateIdentityGlob: string, certificateOidcIssuer = GITHUB) => ({
  certificateIdentityGlob,
  certificateOidcIssuer,
});

const NPM = {
  artifact:
    "sha512:f06fbf5c353cc0db093904b9cac0d53b412d83dff6b80e6047d9786708a38e5c3105cad4e913dfc22dbe8c999b3fe029d47969fe75406843b8163db6fd22f681",
  bundle: [file("slsa-verifier/npm/provenance-npm-test-cli-v1-prega.tgz.json")],
};
const VSA = {
  artifact: "gce_image_id:8970095005306000053",
  bundle: [file("slsa-verifier/vsa/gke-gce-pre.bcid-vsa.jsonl")],
  key: [file("slsa-verifier/vsa/vsa_signing_public_key.pem")],
  verifierId: "https://bcid.corp.google.com/verifier/bcid_package_enforcer/v0.1",
  resourceUri: "gce_image://gke-node-images:gke-12615-gke1418000-cos-101-17162-463-29-c-cgpv1-pre",
};

interface Given extends VerifyOptions {
  readonly artifact: string;
}

const CASES: readonly (readonly [string, Given, string | undefined])[] = [
  [
    "a bundle of GitHub's command line",
    {
      artifact:
        "sha512:90f223f992e4c88dd068cd2a5fc57f9d2b30798343dd6e38f29c240e04ba090ef831f84490847c4e82b9232c78e8a258463b1e55c0f7469f730265008fa6633f",
      bundle: [file("cli/sigstore-js-2.1.0-bundle.json")],
      ...by("https://github.com/sigstore/**"),
    },
    undefined,
  ],
  [
    "npm's answer: its provenance",
    { ...NPM, ...by("https://github.com/sigstore/sigstore-js/**") },
    undefined,
  ],
  ["npm's answer: its publish attestation", { ...NPM, key: [file("_trust/npm-keys.json")] }, undefined],
  [
    "npm's answer, by somebody else",
    { ...NPM, ...by("https://github.com/acme/**") },
    "identity signer-mismatch",
  ],
  [
    "PyPI's provenance",
    {
      artifact: "sha256:9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3",
      bundle: [file("pypi-attestations/pypi_attestations-0.0.19.tar.gz.provenance.json")],
      ...by("https://github.com/trailofbits/pypi-attestations/**"),
    },
    undefined,
  ],
  [
    "a PyPI attestation, under another issuer",
    {
      artifact: "sha256:c1ca9b0d85df1606451098233018534497bf584362e10e4a8c21dfaea92c02a8",
      bundle: [file("pypi-attestations/gitlab_oidc_project-0.0.3.tar.gz.publish.attestation.json")],
      ...by("https://gitlab.com/facutuesca/gitlab-oidc-project//.gitlab-ci.yml@**", "https://gitlab.com"),
    },
    undefined,
  ],
  ["a verification summary", { ...VSA, verifiedLevel: ["SLSA_BUILD_LEVEL_2"] }, undefined],
  [
    "a verification summary, of another image",
    { ...VSA, artifact: "gce_image_id:1" },
    "subject subject-mismatch",
  ],
];

describe("vouchsafe verify of real evidence", { skip }, () => {
  let house: OfflineHouse;
  before(async () => {
    house = await openOfflineHouse();
  });
  after(() => house.close());

  for (const [name, { artifact, ...options }, failed] of CASES) {
    test(`${name}: ${failed ?? "verified"}`, async () => {
      assert.equal((await tell(artifact, options)).failed, failed);
    });
  }

  test("what the README shows is what it prints", async () => {
    const shown = /^```\n(attestations\.json[\s\S]*?)\n```$/m.exec(readFileSync(README, "utf8"))?.[1];
    const { words } = await tell(
      NPM.artifact,
      {
        ...NPM,
        ...by("https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main"),
      },
      { env: { LANG: "C.UTF-8", NO_COLOR: "1" }, isTTY: true },
    );
    const printed = words
      .replaceAll(NPM.bundle[0] ?? "", "attestations.json")
      .replace(`verified ${NPM.artifact}`, "verified sigstore-2.3.1.tgz");
    assert.equal(shown, printed.trimEnd());
  });

  test("a digest by another algorithm than the evidence names is refused with what to give", async () => {
    const { failed, notes } = await tell(`sha256:${"0".repeat(64)}`, {
      ...NPM,
      ...by("https://github.com/sigstore/sigstore-js/**"),
    });
    assert.equal(failed, "subject subject-mismatch");
    assert.match(notes, /names its subjects by sha512 alone/);
  });

  test("a name that a platform gives counts in verification summaries alone", async () => {
    const { artifact, bundle, key } = VSA;
    assert.equal((await tell(artifact, { bundle, key })).failed, "subject subject-mismatch");
  });

  test("a layer of an OCI image, with the descriptor that its log entry is in", async () => {
    const { layer } = JSON.parse(readFileSync(file("slsa-verifier/oci/v1.4.0/layer-0.json"), "utf8"));
    const given = {
      bundle: [file("slsa-verifier/oci/v1.4.0/envelope-0.json")],
      ...by("https://github.com/slsa-framework/slsa-github-generator/**"),
    };
    const digest = "sha256:a74d89d8dd863ca5dae4a29e0feede81ddf59197849a80784af5a02ab7786925";
    for (const document of [layer, { schemaVersion: 2, layers: [layer] }]) {
      const ociManifest = await house.write("manifest.json", document);
      assert.equal((await tell(digest, { ...given, ociManifest })).failed, undefined);
    }
    assert.notEqual((await tell(digest, given)).failed, undefined, "the envelope alone says no time");
  });
});
