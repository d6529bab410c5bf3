import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { oid } from "../../src/der/writer.ts";
import { ANY_EXTENDED_KEY_USAGE, CODE_SIGNING, EXTENSION, SERVER_AUTH } from "../../src/x509/oids.ts";
import { type AuthorityOptions, issue } from "../trust/certificates.ts";
import { extension, type Holder } from "./issued-certificates.ts";
import { verifyUnder } from "./private-path.ts";

const root = issue("root");

function accepts(trusted: readonly Holder[], issuer: Holder, intermediates: readonly Holder[]): void {
  const { signer } = verifyUnder(trusted, issuer, intermediates);
  assert.ok(signer.case === "certificate");
  assert.equal(signer.identity, "a@b.example");
}

function refuses(trusted: readonly Holder[], issuer: Holder, intermediates: readonly Holder[]): void {
  assert.throws(() => verifyUnder(trusted, issuer, intermediates), {
    name: "VouchsafeError",
    code: "certificate-invalid",
  });
}

describe("an intermediate that came with the evidence", () => {
  const empty = Buffer.of(0x30, 0);
  const intermediates: Record<string, { options: AuthorityOptions; holds: boolean }> = {
    "that says nothing more than it must": { options: {}, holds: true },
    "for code signing": { options: { extendedKeyUsages: [CODE_SIGNING] }, holds: true },
    "for anything": { options: { extendedKeyUsages: [ANY_EXTENDED_KEY_USAGE] }, holds: true },
    "for servers": { options: { extendedKeyUsages: [SERVER_AUTH] }, holds: false },
    "that is no authority": { options: { ca: false }, holds: false },
    "whose key may not sign certificates": { options: { keyUsage: 0x80 }, holds: false },
    "with name constraints": {
      options: { more: [extension(EXTENSION.nameConstraints, empty, true)] },
      holds: false,
    },
    "with name constraints that are not critical": {
      options: { more: [extension(EXTENSION.nameConstraints, empty)] },
      holds: false,
    },
    "with a critical extension that is not known": {
      options: { more: [extension(oid("1.2.3.4"), empty, true)] },
      holds: false,
    },
    "with an extension that is not known": {
      options: { more: [extension(oid("1.2.3.4"), empty)] },
      holds: true,
    },
  };
  for (const [name, { options, holds }] of Object.entries(intermediates)) {
    test(`${name} ${holds ? "counts" : "does not count"}`, () => {
      const between = issue("between", { issuer: root, ...options });
      (holds ? accepts : refuses)([root], between, [between]);
    });
  }

  test("of another authority by the same name does not count", () => {
    const impostor = issue("root");
    const between = issue("between", { issuer: impostor });
    refuses([root], between, [between]);
    refuses([root], between, [between, impostor]);
  });
});

test("an intermediate that cannot be read takes nothing away from one that can", () => {
  const between = issue("between", { issuer: root });
  const hollow = extension(EXTENSION.authorityKeyIdentifier, Buffer.of(0x30, 1));
  accepts([root], between, [issue("between", { issuer: root, more: [hollow] }), between]);
});

test("a path length bounds what the evidence adds, whichever trusted certificate sets it", () => {
  const top = issue("top", { pathLength: 1 });
  const issuing = issue("issuing", { issuer: top });
  accepts([issuing, top], issuing, []);
  const added = issue("added", { issuer: issuing });
  refuses([issuing, top], added, [added]);
  const beside = issue("beside", { issuer: top });
  accepts([issuing, top], beside, [beside]);
});

test("a trusted authority for anything issues for code signing", () => {
  const any = issue("any", { extendedKeyUsages: [ANY_EXTENDED_KEY_USAGE] });
  accepts([any], any, []);
});
