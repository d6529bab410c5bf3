import { generateKeyPairSync, sign } from "node:crypto";

/** One DER element of these parts. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const hex = length.toString(16);
  const size = Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
  return Buffer.concat([Buffer.of(tag, 0x80 | size.length), size, content]);
}

/** An X.509 extension: OID as its content bytes in hex, value as it stands in the OCTET STRING. */
export function extension(oid: string, value: Uint8Array): Buffer {
  return der(0x30, der(0x06, Buffer.from(oid, "hex")), der(0x04, value));
}

const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ECDSA_WITH_SHA256 = der(0x30, der(0x06, Buffer.from("2a8648ce3d040302", "hex")));
const NAME = der(0x30);
const VALIDITY = der(0x30, ...["200101000000Z", "200101001000Z"].map((time) => der(0x17, Buffer.from(time))));

/** A certificate with these extensions (RFC 5280 §4.1), signed by its own key; `unusedBits` of the signature. */
export function certificateWith(extensions: readonly Uint8Array[], unusedBits = 0): Buffer {
  const tbs = der(
    0x30,
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(1)),
    ECDSA_WITH_SHA256,
    NAME,
    VALIDITY,
    NAME,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, der(0x30, ...extensions)),
  );
  const signature = sign("sha256", tbs, privateKey);
  return der(0x30, tbs, ECDSA_WITH_SHA256, der(0x03, Buffer.of(unusedBits), signature));
}
