/** `vouchsafe verify` as a process: how it is called, and by which status it ends. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ACTIONS_ISSUER, actionsClaims, actionsIdentity } from "../../sigstore/github-actions.ts";
import { SIGNERS, trustedKey } from "../../verify/envelopes.ts";
import { artifact, type SignedBundles, signBundles } from "../../verify/signed-bundles.ts";
import { type OfflineHouse, openOfflineHouse } from "../offline.ts";
import { assertEnded, vouchsafe } from "../vouchsafe.ts";

const IDENTITY = ["--certificate-identity", actionsIdentity(actionsClaims())];
const WHO = [...IDENTITY, "--certificate-oidc-issuer", ACTIONS_ISSUER];

let signed: SignedBundles;
let house: OfflineHouse;
let widget: string;
/** The evidence and the root. */
let files: string[];
before(async () => {
  [signed, house] = await Promise.all([signBundles(), openOfflineHouse()]);
  widget = await house.write("widget.tgz", artifact.bytes);
  await house.write("provenance.json", signed.provenance);
  await house.write("root.json", signed.sigstore.trustedRoot);
  await house.write("key.pem", SIGNERS[0] ? trustedKey(SIGNERS[0]).publicKey : "");
  await house.write("two.yaml", "kind: 1\n---\nkind: 2\n");
  await house.write("trust.json", { sigstore: [], keys: [] });
  files = ["--bundle", "provenance.json", "--trusted-root", "root.json"];
});
after(async () => {
  await signed?.sigstore.close();
  await house?.close();
});

const $ = (...args: string[]) => vouchsafe(["verify", ...args], { cwd: house.directory });

describe("vouchsafe verify", () => {
  test("needs no server, and ends with 0 for what verified and with 1 for what did not", async () => {
    assertEnded(await $("widget.tgz", ...files, ...WHO), 0, "stdout", /^verified widget\.tgz$/m);
    // Options may stand before the artifact: none swallows what follows.
    assertEnded(await $(...WHO, ...files, "widget.tgz"), 0, "stdout", /^verified/m);
    assertEnded(await $("root.json", ...files, ...WHO), 1, "stderr", /code: subject-mismatch/);
  });

  test("prints JSON by --json and by --format json, also of mistakes", async () => {
    for (const how of [["--json"], ["--format", "json"]]) {
      const good = await $("widget.tgz", ...files, ...WHO, ...how);
      assert.equal(good.status, 0, good.stderr);
      assert.equal(JSON.parse(good.stdout).verified, true);
      const bad = await $("widget.tgz", ...files, ...how);
      assert.deepEqual([bad.status, bad.stdout], [2, ""]);
      assert.equal(JSON.parse(bad.stderr).error.code, "usage");
    }
  });

  const mistakes: readonly (readonly [string, string[], RegExp])[] = [
    ["nobody who may have signed", [], /Say who may have signed.*--certificate-identity.*--key.*--policy/],
    ["an identity without its issuer", IDENTITY, /--certificate-oidc-issuer/],
    ["an issuer alone", WHO.slice(2), /--certificate-identity/],
    ["an identity and a glob", [...WHO, "--certificate-identity-glob", "*"], /not both/],
    [
      "a regular expression for a glob",
      ["--certificate-identity-glob", "^https", ...WHO.slice(2)],
      /anchored/,
    ],
    ["a key and anybody", ["--key", "key.pem", "--any-signer"], /contradicts/],
    ["a root for a key", ["--key", "root.json"], /--trusted-root/],
    ["a key for a root", [...WHO, "--trusted-root", "key.pem"], /--key/],
    ["a root and a whole trust document", [...WHO, "--trust", "trust.json"], /--trusted-root/],
    [
      "a root that is none",
      [...WHO, "--trusted-root", "provenance.json"],
      /provenance\.json does not load: .*trustedRoot/,
    ],
    ["a key that is not there", ["--key", "absent.pem"], /absent\.pem cannot be read: it is not there/],
    ["a file that is not there", [...WHO, "--bundle", "absent.json"], /absent\.json cannot be read/],
    ["a policy that does not load", ["--policy", "two.yaml"], /policy lint/],
    ["a policy's name without its file", [...WHO, "--policy-name", "p"], /--policy FILE/],
    ["half of a summary", [...WHO, "--verifier-id", "v"], /--resource-uri/],
  ];
  for (const [name, args, said] of mistakes) {
    test(`ends with 2 for ${name}, and says what to do`, async () => {
      assertEnded(await $("widget.tgz", ...files, ...args), 2, "stderr", said);
    });
  }

  test("ends with 2 for an artifact that is neither a file nor a digest that can ground a verdict", async () => {
    for (const name of ["absent.tgz", `sha1:${"0".repeat(40)}`, "sha256:0"]) {
      assertEnded(await $(name, ...files, ...WHO), 2, "stderr", /neither a digest|no digest/);
    }
    assert.ok(widget.startsWith(house.directory));
  });
});
