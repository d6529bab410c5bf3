import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { der, sequence } from "../../src/der/writer.ts";
import { displayNameOf } from "../../src/verify/display-name.ts";
import { COMMON_NAME } from "../../src/x509/oids.ts";
import { CA, FOR_TIMESTAMPS, issueCertificate } from "./issued-certificates.ts";
import { verifyUnder } from "./private-path.ts";
import { timestampAuthority } from "./timestamps.ts";
import { stamp, verifyTimestamp } from "./trusted-tsa.ts";

// Older authorities wrote their names in what ASN.1 had before UTF-8, and some still do.

const commonName = (tag: number, content: Buffer) =>
  sequence(der(0x31, sequence(COMMON_NAME, der(tag, content))));
const SPELLINGS = {
  UTF8String: commonName(0x0c, Buffer.from("Autorité")),
  TeletexString: commonName(0x14, Buffer.from("Autorité", "latin1")),
  BMPString: commonName(0x1e, Buffer.from("Autorité", "utf16le").swap16()),
};

describe("an authority's name is read as its type says:", () => {
  for (const [type, subject] of Object.entries(SPELLINGS)) {
    test(type, () => {
      assert.equal(displayNameOf(subject), "Autorité");
      const root = issueCertificate({ name: "root", subject, extensions: [CA] });
      const tsa = issueCertificate({ name: "tsa", issuer: root, extensions: [FOR_TIMESTAMPS] });
      const response = stamp({ embedded: [tsa.certificate] }, tsa);
      assert.equal(verifyTimestamp(response, [timestampAuthority([root.certificate])])?.name, "Autorité");
      assert.deepEqual(verifyUnder([root], root, []).findings.chain, ["Autorité"]);
    });
  }
});

test("what of a name cannot be read is replaced, and no name refuses who bears it", () => {
  assert.equal(displayNameOf(commonName(0x0c, Buffer.from("Autorité", "latin1"))), "Autorit\ufffd");
  assert.equal(displayNameOf(commonName(0x0c, Buffer.alloc(0))), undefined);
  assert.equal(displayNameOf(commonName(0x1c, Buffer.alloc(4))), undefined);
  assert.equal(displayNameOf(sequence()), undefined);
});
