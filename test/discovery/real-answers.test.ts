/** What npm and PyPI really answered, served from here again: found, and verified by who signed it. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { vouchsafe } from "../cli/vouchsafe.ts";
import { serveLocally } from "../support/local-server.ts";

const CORPUS = fileURLToPath(new URL("../../../shared/corpus/", import.meta.url));
const skip = existsSync(`${CORPUS}MANIFEST.json`) ? false : "../shared/corpus is not here";
const SHA512 =
  "7bea9f6e7ff37f5fab0b36bf061200fff03099fd2fd696b91d04bc5e4f225eb9fd6e0cadcad54ba980f43fb352a99e8810b4e0abeb5c0ef2cf9108cd1f258b36";
const SHA256 = "9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3";
const SDIST = "pypi_attestations-0.0.19.tar.gz";

const ANSWERS: Readonly<Record<string, () => object | Uint8Array>> = {
  "/sigstore/1.0.0": () => ({
    dist: { integrity: `sha512-${Buffer.from(SHA512, "hex").toString("base64")}` },
  }),
  "/-/npm/v1/attestations/sigstore@1.0.0": () =>
    readFileSync(`${CORPUS}npm-cli/test/fixtures/sigstore/valid-sigstore-attestations.json`),
  "/simple/pypi-attestations/": () => ({ files: [{ filename: SDIST, hashes: { sha256: SHA256 } }] }),
  [`/integrity/pypi-attestations/0.0.19/${SDIST}/provenance`]: () =>
    readFileSync(`${CORPUS}pypi-attestations/${SDIST}.provenance.json`),
};

test("npm's and PyPI's answers are found and verified", { skip }, async (t) => {
  const host = await serveLocally(t, (request, response) => {
    const answer = ANSWERS[request.url ?? ""]?.();
    const body = answer instanceof Uint8Array ? answer : JSON.stringify(answer ?? {});
    response.writeHead(answer === undefined ? 404 : 200).end(body);
  });
  const cases = [
    [
      "npm:sigstore@1.0.0",
      `sha512:${SHA512}`,
      "https://github.com/sigstore/sigstore-js/.github/workflows/*@refs/*/*",
    ],
    ["pypi:pypi-attestations@0.0.19", `sha256:${SHA256}`, "https://github.com/**"],
  ] as const;
  await Promise.all(
    cases.map(async ([reference, digest, identity]) => {
      const verified = await vouchsafe(
        [
          ...["--json", "verify", `${reference}?repository_url=http://${host}`],
          ...["--certificate-identity-glob", identity],
          ...["--certificate-oidc-issuer", "https://token.actions.githubusercontent.com"],
        ],
        { cwd: tmpdir() },
      );
      assert.equal(verified.status, 0, verified.stdout + verified.stderr);
      assert.deepEqual(JSON.parse(verified.stdout).artifact.digests, [digest]);
    }),
  );
});
