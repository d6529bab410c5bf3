import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { der, sequence } from "../../src/der/writer.ts";
import { VouchsafeError } from "../../src/errors.ts";
import { createTrust, type TrustSnapshot } from "../../src/trust/snapshot.ts";
import { isInJavaScript, type SignatureCheck } from "../../src/verify/signature-check.ts";
import { examine } from "../../src/verify/verify-evidence.ts";
import { CODE_SIGNING, EXTENSION } from "../../src/x509/oids.ts";
import { writePem } from "../../src/x509/pem.ts";
import { issue, pemOf } from "../trust/certificates.ts";
import { bytesOf, ec, envelope, prehashedEd25519, SIGNERS, trustedKey } from "../verify/envelopes.ts";
import { extension, type Holder } from "../verify/issued-certificates.ts";
import { stamp } from "../verify/trusted-tsa.ts";

// Evidence that is small and asks for as many signatures as it can: each costs some 0.1 ms of a thread.

const MAX_CHECKS = 1024;
/** Over a digest each costs some milliseconds, and of the thread that everybody waits for. */
const MAX_CHECKS_OVER_DIGESTS = 16;

const root = issue("root");
/** Certificates of a stranger that say the root issued them, and that they issue. */
const forged = Array.from({ length: 8 }, () => issue("root"));
const subject = extension(EXTENSION.subjectAltName, sequence(der(0x81, Buffer.from("a@b.example"))));

function leafOf(issuer: Holder): Holder {
  return issue("leaf", { issuer, ca: false, extendedKeyUsages: [CODE_SIGNING], more: [subject] });
}

function signedBy(leaf: Holder, intermediates: readonly Holder[]) {
  return {
    sig: "c2ln",
    certificate: base64Pem(leaf),
    intermediates: intermediates.map(base64Pem),
    timestamps: [{ type: "tsp", data: stamp().toString("base64") }],
  };
}

function base64Pem({ certificate }: Holder): string {
  return Buffer.from(writePem("CERTIFICATE", certificate)).toString("base64");
}

/** How many signatures are checked for it, when all are said to be false, and when all but the last of each batch hold. */
function checksOf(
  evidence: unknown,
  trust: TrustSnapshot,
  counts: (check: SignatureCheck) => boolean = () => true,
): number {
  return Math.max(
    ...[false, true].map((answer) => {
      let count = 0;
      try {
        const run = examine(bytesOf(evidence), trust);
        for (let step = run.next(); !step.done; ) {
          count += step.value.filter(counts).length;
          step = run.next(step.value.map((_, i, all) => answer && i < all.length - 1));
        }
      } catch (error) {
        if (!(error instanceof VouchsafeError)) throw error;
      }
      return count;
    }),
  );
}

describe("a small piece of evidence cannot ask for many signatures:", () => {
  test("certificates that could all have issued each other", () => {
    const trust = createTrust({
      sigstore: [],
      keys: [],
      x509: Array.from({ length: 4 }, (_, i) => ({
        name: `own-${i}`,
        certificates: pemOf(i === 0 ? root : issue(`another-${i}`)),
        uses: ["attestations"],
      })),
    });
    const [first = root] = forged;
    const signatures = Array.from({ length: 32 }, () => signedBy(leafOf(first), forged));
    const checks = checksOf({ ...envelope([]), signatures }, trust);
    assert.ok(checks > 0 && checks <= MAX_CHECKS, `${checks} checks`);
  });

  test("signatures of which any key could have made any", () => {
    const more = Array.from({ length: 64 - SIGNERS.length }, () => ec("p384", "P-384", "sha384", "der"));
    const keys = [...SIGNERS, ...more].map((signer, i) => trustedKey(signer, { name: `${i}` }));
    const signatures = Array.from({ length: 32 }, (_, i) => ({ sig: "c2ln", keyid: `${i}` }));
    const checks = checksOf({ ...envelope([]), signatures }, createTrust({ sigstore: [], keys }));
    assert.ok(checks > 0 && checks <= MAX_CHECKS, `${checks} checks`);
  });

  test("signatures that any key could have made by Ed25519ph", () => {
    const keys = Array.from({ length: 20 }, (_, i) => trustedKey(prehashedEd25519(), { name: `${i}` }));
    const trust = createTrust({ sigstore: [], keys });
    const sig = Buffer.alloc(64, 7).toString("base64");
    const message = {
      mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
      verificationMaterial: { publicKey: {} },
      messageSignature: {
        messageDigest: { algorithm: "SHA2_512", digest: sig },
        signature: sig,
      },
    };
    const checks = checksOf(message, trust, isInJavaScript);
    assert.ok(checks > 0 && checks <= MAX_CHECKS_OVER_DIGESTS, `${checks} checks over a digest`);
    const signatures = Array.from({ length: 32 }, () => ({ sig }));
    assert.equal(checksOf({ ...envelope([]), signatures }, trust, isInJavaScript), 0);
  });
});
