import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { generateKeyPairSync, hash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createTrust } from "../../src/trust/snapshot.ts";
import { writePem } from "../../src/x509/pem.ts";
import { openssl } from "../identity/openssl.ts";
import { type Sigstore, startSigstore } from "../sigstore/instance.ts";
import { CA, FOR_TIMESTAMPS, type Holder, issueCertificate, newKeys } from "./issued-certificates.ts";
import { timestampAuthority } from "./timestamps.ts";
import { refuses, STAMPED, verifyTimestamp } from "./trusted-tsa.ts";

// Timestamps that somebody else's code wrote.

describe("OpenSSL's timestamps", openssl, () => {
  const root = issueCertificate({ name: "root", extensions: [CA] });
  const writers: Record<string, Holder> = {
    RSA: holderOf(generateKeyPairSync("rsa", { modulusLength: 2048 })),
    "P-256": holderOf(newKeys("P-256")),
    "P-384": holderOf(newKeys("P-384")),
  };
  function holderOf(keys: ReturnType<typeof newKeys>): Holder {
    return issueCertificate({ name: "tsa", issuer: root, keys, extensions: [FOR_TIMESTAMPS] });
  }

  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "vouchsafe-tsa-"));
  });
  after(() => rmSync(directory, { recursive: true }));

  function run(...args: readonly string[]): void {
    const { status, stderr } = spawnSync("openssl", args, { cwd: directory, encoding: "utf8" });
    assert.equal(status, 0, stderr);
  }

  /** The response of `openssl ts` to a request over `STAMPED`. */
  function respond({ certificate, key }: Holder, settings: string, query: readonly string[]): Buffer {
    writeFileSync(join(directory, "data"), STAMPED);
    writeFileSync(join(directory, "tsa.pem"), writePem("CERTIFICATE", certificate));
    writeFileSync(join(directory, "tsa.key"), key.export({ format: "pem", type: "pkcs8" }));
    writeFileSync(join(directory, "root.pem"), writePem("CERTIFICATE", root.certificate));
    writeFileSync(join(directory, "serial"), "01\n");
    writeFileSync(
      join(directory, "ts.conf"),
      `[tsa]\ndefault_tsa = it\n[it]\nserial = serial\nsigner_cert = tsa.pem\ncerts = root.pem\nsigner_key = tsa.key\n` +
        `default_policy = 1.2.3.4.1\ndigests = sha256, sha384, sha512\n${settings}\n`,
    );
    run("ts", "-query", "-data", "data", "-out", "query", ...query);
    run("ts", "-reply", "-config", "ts.conf", "-queryfile", "query", "-out", "reply");
    return readFileSync(join(directory, "reply"));
  }

  const settings: Record<string, [settings: string, query: readonly string[]]> = {
    "with a fraction, accuracy and its name": [
      "signer_digest = sha256\nclock_precision_digits = 6\naccuracy = secs:1, millisecs:500, microsecs:100\n" +
        "ordering = yes\ntsa_name = yes",
      ["-sha256"],
    ],
    "with its certificates": ["signer_digest = sha512\nclock_precision_digits = 3", ["-sha512", "-cert"]],
    "with its whole chain, by SHA-1": [
      "signer_digest = sha384\ness_cert_id_chain = yes\ness_cert_id_alg = sha1",
      ["-sha384", "-cert", "-no_nonce"],
    ],
  };
  for (const [key, signer] of Object.entries(writers)) {
    for (const [name, [lines, query]] of Object.entries(settings)) {
      test(`${key}, ${name}`, () => {
        const from = Date.now();
        const response = respond(signer, lines, query);
        const trusted = [timestampAuthority([signer.certificate, root.certificate])];
        const found = verifyTimestamp(response, trusted);
        assert.ok(found !== undefined && found.time >= from - 1000 && found.time <= Date.now());
        const issuing = [timestampAuthority([root.certificate])];
        if (query.includes("-cert")) assert.equal(verifyTimestamp(response, issuing)?.time, found.time);
        else refuses(() => verifyTimestamp(response, issuing));
      });
    }
  }
});

describe("the timestamps of Sigstore's mock", () => {
  let sigstore: Sigstore;
  before(async () => {
    sigstore = await startSigstore();
  });
  after(() => sigstore.close());

  for (const certificates of [false, true]) {
    test(certificates ? "with its certificate" : "without its certificate", async () => {
      const [instance] = createTrust({
        sigstore: [{ name: "local", trustedRoot: sigstore.trustedRoot }],
        keys: [],
      }).instances;
      const artifactHash = hash("sha256", STAMPED, "base64");
      const reply = await fetch(`${sigstore.tsaUrl}/api/v1/timestamp`, {
        method: "POST",
        body: JSON.stringify({ artifactHash, hashAlgorithm: "sha256", certificates }),
      });
      const response = Buffer.from(await reply.arrayBuffer());
      assert.ok(verifyTimestamp(response, instance?.timestampAuthorities));
    });
  }
});
