import { Type } from "typebox";
import { closed, Digest, line, named } from "../schemas.ts";

// What revocations and quarantines are of: exact values.

const Name = line(2048);
const WINDOW = {
  from: Type.Optional(Type.String({ maxLength: 40, description: "RFC 3339, UTC: signed then or later" })),
  until: Type.Optional(Type.String({ maxLength: 40, description: "RFC 3339, UTC: signed before" })),
};
const Certified = closed({ issuer: Name, identity: Name });
const AskedSigner = Type.Union([Certified, closed({ key: Name })]);
const KeyId = Type.String({ description: "the key's id in the trust snapshot that was in force" });
/** With what was known of it when it was named. */
const Signer = Type.Union([Certified, closed({ key: Name, keyId: Type.Optional(KeyId) })]);

const ALSO_REVOKED = [
  closed({ builder: Name, ...WINDOW }),
  closed({ repository: Name }),
  closed({ artifact: Digest }),
];
export const AskedRevocation = named(
  "AskedRevocation",
  Type.Union([closed({ attestation: Digest }), closed({ signer: AskedSigner, ...WINDOW }), ...ALSO_REVOKED]),
);
export const RevocationTarget = named(
  "RevocationTarget",
  Type.Union([
    closed({
      attestation: Digest,
      payload: Type.Optional(Type.String({ description: "digest of what was signed, in whatever bytes" })),
    }),
    closed({ signer: Signer, ...WINDOW }),
    ...ALSO_REVOKED,
  ]),
);

const ALSO_QUARANTINED = [
  closed({ artifact: Digest }),
  closed({ builder: Name }),
  closed({ repository: Name }),
  closed({ policy: Name }),
  closed({ spiffeId: Name }),
  closed({ serial: Name }),
];
export const AskedQuarantine = named(
  "AskedQuarantine",
  Type.Union([...ALSO_QUARANTINED, closed({ signer: AskedSigner })]),
);
export const QuarantineTarget = named(
  "QuarantineTarget",
  Type.Union([...ALSO_QUARANTINED, closed({ signer: Signer })]),
);
