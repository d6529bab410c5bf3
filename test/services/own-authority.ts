import { type KeyObject, randomBytes, sign } from "node:crypto";
import { derChildren, readDer } from "../../src/der/reader.ts";
import { preAuthenticationEncoding, sha256 } from "../../src/in-toto-attestation/index.ts";
import type { Digest } from "../../src/in-toto-attestation/types.ts";
import type { X509Root } from "../../src/trust/x509-root.ts";
import { CODE_SIGNING } from "../../src/x509/oids.ts";
import { issue, pemOf } from "../trust/certificates.ts";
import { FOR_TIMESTAMPS, type Holder, issueCertificate } from "../verify/issued-certificates.ts";
import { timestampResponse } from "../verify/timestamps.ts";
import { testResult } from "./signed-envelope.ts";

const PAYLOAD_TYPE = "application/vnd.in-toto+json";

/** A certificate authority of one's own and a timestamp authority, as a company might run them. */
export interface OwnAuthority {
  /** What a trust document says of them. */
  readonly roots: readonly [ca: X509Root, tsa: X509Root];
  /** An envelope about a fresh artifact, signed and stamped now, as witness writes it. */
  sign(): { readonly digest: Digest; readonly bytes: Uint8Array };
}

export function ownAuthority(): OwnAuthority {
  const root = issue("root");
  const issuing = issue("issuing", { issuer: root });
  const leaf = issue("builder", { issuer: issuing, ca: false, extendedKeyUsages: [CODE_SIGNING] });
  const tsaRoot = issue("tsa root");
  const tsa = issueCertificate({ name: "tsa", issuer: tsaRoot, extensions: [FOR_TIMESTAMPS] });
  return {
    roots: [
      { name: "build-ca", certificates: pemOf(issuing, root), uses: ["attestations"] },
      { name: "tsa", certificates: pemOf(tsa, tsaRoot), uses: ["timestamps"] },
    ],
    sign() {
      const digest = sha256(randomBytes(32));
      const payload = Buffer.from(JSON.stringify(testResult(digest)));
      const signature = signWith(leaf.key, preAuthenticationEncoding(PAYLOAD_TYPE, payload));
      const envelope = {
        payloadType: PAYLOAD_TYPE,
        payload: payload.toString("base64"),
        signatures: [
          {
            sig: signature.toString("base64"),
            certificate: Buffer.from(pemOf(leaf)).toString("base64"),
            timestamps: [{ type: "tsp", data: token(tsa, signature).toString("base64") }],
          },
        ],
      };
      return { digest, bytes: Buffer.from(JSON.stringify(envelope)) };
    },
  };
}

function signWith(key: KeyObject, bytes: Uint8Array): Buffer {
  return sign("sha256", bytes, key);
}

/** The token alone of a timestamp authority's answer. */
function token(tsa: Holder, stamped: Uint8Array): Buffer {
  const time = new Date().toISOString().replace(/[-:T]|\.\d+/g, "");
  const [, contentInfo] = derChildren(readDer(timestampResponse(tsa, stamped, { time })).content);
  return Buffer.from(contentInfo?.encoded ?? []);
}
