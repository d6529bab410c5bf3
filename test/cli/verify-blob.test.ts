import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { ACTIONS_ISSUER, actionsClaims, actionsIdentity } from "../sigstore/github-actions.ts";
import { type KeySigner, prehashedEd25519, SIGNERS, trustedKey } from "../verify/envelopes.ts";
import { cosignBundle } from "../verify/formats/same-signature.ts";
import { artifact, type SignedBundles, signBundles } from "../verify/signed-bundles.ts";
import { type OfflineHouse, openOfflineHouse, tell } from "./offline.ts";

let signed: SignedBundles;
let house: OfflineHouse;
/** Paths. */
let widget: string;
let other: string;
before(async () => {
  [signed, house] = await Promise.all([signBundles(), openOfflineHouse()]);
  widget = await house.write("widget.tgz", artifact.bytes);
  other = await house.write("other.tgz", "another");
});
after(async () => {
  await signed?.sigstore.close();
  await house?.close();
});

/** The options that verify a bundle over the artifact that the key signed, which names its digest. */
async function signedBy(signer: KeySigner, digest: { algorithm: string; bytes: Uint8Array }) {
  const bundle = await house.write(`${signer.name}.json`, {
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: { publicKey: {} },
    messageSignature: {
      messageDigest: { algorithm: digest.algorithm, digest: Buffer.from(digest.bytes).toString("base64") },
      signature: signer.sign(artifact.bytes).toString("base64"),
    },
  });
  return { bundle: [bundle], key: [await house.write(`${signer.name}.pem`, trustedKey(signer).publicKey)] };
}

describe("signatures over the artifact itself", () => {
  test("verify by the file and by its digest alone", async () => {
    const options = {
      bundle: [await house.write("blob.json", signed.blob)],
      trustedRoot: [await house.write("root.json", signed.sigstore.trustedRoot)],
      certificateIdentity: actionsIdentity(actionsClaims()),
      certificateOidcIssuer: ACTIONS_ISSUER,
    };
    for (const name of [widget, `sha256:${hash("sha256", artifact.bytes)}`]) {
      const { failed, words } = await tell(name, options);
      assert.equal(failed, undefined);
      assert.match(words, /^ {6}statement {3}the signature is over the artifact itself$/m);
    }
    assert.match((await tell(other, options)).failed ?? "", /mismatch|invalid/);
  });

  test("in cosign's own bundle verify by the file and by its digest, or by the file alone where no log was told", async () => {
    const [signer] = SIGNERS;
    assert.ok(signer);
    const digest = `sha256:${hash("sha256", artifact.bytes)}`;
    const base64Signature = signer.sign(artifact.bytes).toString("base64");
    const unlogged = {
      bundle: [await house.write("unlogged.bundle", { base64Signature, cert: "" })],
      key: [await house.write("key.pem", trustedKey(signer).publicKey)],
    };
    const logged = {
      bundle: [await house.write("logged.bundle", cosignBundle(signed.blob))],
      trustedRoot: [await house.write("root.json", signed.sigstore.trustedRoot)],
      certificateIdentity: actionsIdentity(actionsClaims()),
      certificateOidcIssuer: ACTIONS_ISSUER,
    };
    assert.equal((await tell(widget, unlogged)).failed, undefined);
    assert.equal((await tell(digest, unlogged)).failed, "format malformed-bundle");
    for (const name of [widget, digest]) assert.equal((await tell(name, logged)).failed, undefined);
    assert.equal((await tell(other, unlogged)).failed, "signature unknown-key");
    assert.equal((await tell(other, logged)).failed, "subject subject-mismatch");
  });

  test("by Ed25519 need the file, and say so", async () => {
    const ed25519 = SIGNERS.find(({ name }) => name === "ed25519");
    assert.ok(ed25519);
    const digest = hash("sha256", artifact.bytes, "buffer");
    const options = await signedBy(ed25519, { algorithm: "SHA2_256", bytes: digest });
    assert.equal((await tell(widget, options)).failed, undefined);
    const byDigest = await tell(`sha256:${digest.toString("hex")}`, options);
    assert.equal(byDigest.failed, "signature unsupported-algorithm");
    assert.match(byDigest.notes, /name the file/);
    assert.notEqual((await tell(other, options)).failed, undefined);
  });

  test("by Ed25519ph verify by the file and by its SHA-512 digest alone", async () => {
    const digest = hash("sha512", artifact.bytes, "buffer");
    const options = await signedBy(prehashedEd25519(), { algorithm: "SHA2_512", bytes: digest });
    for (const name of [widget, `sha512:${digest.toString("hex")}`]) {
      assert.equal((await tell(name, options)).failed, undefined);
    }
    assert.notEqual((await tell(other, options)).failed, undefined);
  });
});
