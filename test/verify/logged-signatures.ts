import { hash, X509Certificate } from "node:crypto";
import {
  canonicalJson,
  type JsonObject,
  preAuthenticationEncoding,
} from "../../src/in-toto-attestation/index.ts";
import type { LogAuthority } from "../../src/trust/sigstore-instance.ts";
import { readSigstoreBundle } from "../../src/verify/formats/sigstore-bundle.ts";
import { type FoundEntry, readLogEntry } from "../../src/verify/log-entry.ts";
import type { LoggedSignature } from "../../src/verify/log-entry-body.ts";
import { checkNow, holding } from "../../src/verify/signature-check.ts";
import { overDigest, SignedBytes } from "../../src/verify/signed.ts";
import type { LogEntry } from "../../src/verify/signed-evidence.ts";
import { type Sigstore, startSigstore } from "../sigstore/instance.ts";
import { slsaProvenance } from "../sigstore/provenance.ts";
import { canonicalBody, canonicalTiledBody, type HashedRekordRequest } from "../sigstore/rekor-entry.ts";
import { prehashedEd25519 } from "./envelopes.ts";

/** A signature, and the body of the entry that a log of its kind has about it. */
export interface LoggedCase {
  readonly name: string;
  /** Version of Rekor that writes such entries. */
  readonly version: 1 | 2;
  readonly logged: LoggedSignature;
  readonly body: Uint8Array;
}

/** What the entry proves under these logs; undefined where a signature of the log is false. Throws its refusal. */
export function proven(
  entry: LogEntry,
  logs: readonly LogAuthority[],
  logged: LoggedSignature,
): FoundEntry | undefined {
  const [[found]] = checkNow(holding([[readLogEntry(entry, logs, logged)]]));
  return found;
}

const artifact = { name: "widget.tgz", bytes: Buffer.from("the widget") };

/** An entry of every kind, about an envelope or a message that a certificate of a local Fulcio signed, or a key by Ed25519ph. */
export async function loggedCases(): Promise<LoggedCase[]> {
  const sigstore = await startSigstore();
  try {
    return [
      ...envelopeCases(await signed(sigstore)),
      ...messageCases(await signedBlob(sigstore)),
      ...prehashedCases(),
    ];
  } finally {
    await sigstore.close();
  }
}

interface Signed {
  readonly content: LoggedSignature["content"];
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly leaf: Uint8Array;
}

async function signed(sigstore: Sigstore): Promise<Signed> {
  const one = read(await sigstore.signStatement(slsaProvenance([artifact])));
  if (one.content.case !== "envelope") throw new TypeError("not an envelope");
  return { ...one, bytes: preAuthenticationEncoding(one.content.payloadType, one.content.payload.bytes) };
}

async function signedBlob(sigstore: Sigstore): Promise<Signed> {
  return { ...read(await sigstore.signBlob(artifact.bytes)), bytes: artifact.bytes };
}

function read(bundle: Uint8Array) {
  const { content, signatures } = readSigstoreBundle(
    JSON.parse(Buffer.from(bundle).toString()) as JsonObject,
  );
  const [one] = signatures;
  if (one?.signer.case !== "certificate") throw new TypeError("not signed with a certificate");
  return { content, signature: one.signature, leaf: one.signer.leaf };
}

function envelopeCases({ content, bytes, signature, leaf }: Signed): LoggedCase[] {
  if (content.case !== "envelope") throw new TypeError("not an envelope");
  const { payloadType } = content;
  const payload = base64(content.payload.bytes);
  const sig = base64(signature);
  const envelope = JSON.stringify({ payloadType, payload, signatures: [{ keyid: "", sig }] });
  const document = { ...content, documentHash: hash("sha256", envelope) };
  return signersOf(leaf).flatMap(({ by, pem, verifier, tiled }) => {
    const logged = { signature, verifier, content, signed: new SignedBytes(bytes) };
    const v1 = (kind: string, apiVersion: string, spec: object): LoggedCase => ({
      name: `${kind} ${apiVersion}, by a ${by}`,
      version: 1,
      logged,
      body: canonicalBody({ kind, apiVersion, spec }),
    });
    return [
      v1("dsse", "0.0.1", { proposedContent: { envelope, verifiers: [pem] } }),
      v1("intoto", "0.0.2", {
        content: {
          envelope: {
            payloadType,
            payload: twice(payload),
            signatures: [{ sig: twice(sig), publicKey: pem }],
          },
          hash: { algorithm: "sha256", value: document.documentHash },
        },
      }),
      {
        ...v1("intoto", "0.0.1", { content: { envelope }, publicKey: pem }),
        logged: { ...logged, content: document },
      },
      {
        name: `hashedrekord 0.0.2 of an envelope, by a ${by}`,
        version: 2,
        logged,
        body: canonicalTiledBody(request(bytes, sig, tiled)),
      },
    ];
  });
}

function messageCases({ content, bytes, signature, leaf }: Signed): LoggedCase[] {
  const sig = base64(signature);
  return signersOf(leaf).flatMap(({ by, pem, verifier, tiled }): LoggedCase[] => {
    const logged = { signature, verifier, content, signed: new SignedBytes(bytes) };
    const spec = {
      data: { hash: { algorithm: "sha256", value: hash("sha256", bytes) } },
      signature: { content: sig, publicKey: { content: pem } },
    };
    return [
      {
        name: `hashedrekord 0.0.1, by a ${by}`,
        version: 1,
        logged,
        body: canonicalBody({ kind: "hashedrekord", apiVersion: "0.0.1", spec }),
      },
      {
        name: `hashedrekord 0.0.2 of a message, by a ${by}`,
        version: 2,
        logged,
        body: canonicalTiledBody(request(bytes, sig, tiled)),
      },
    ];
  });
}

/** What Rekor makes of a signature by Ed25519ph, the one scheme of Ed25519 keys that it takes over a digest. */
function prehashedCases(): LoggedCase[] {
  const signer = prehashedEd25519();
  const { bytes } = artifact;
  const signature = signer.sign(bytes);
  const spki = signer.publicKey.export({ type: "spki", format: "der" });
  const digest = hash("sha512", bytes, "buffer");
  const logged: LoggedSignature = {
    signature,
    verifier: { case: "key", spki },
    content: { case: "message", digest: { algorithm: "sha512", bytes: digest } },
    signed: overDigest("sha512", digest),
  };
  const content = base64(signature);
  const pem = signer.publicKey.export({ type: "spki", format: "pem" }).toString();
  const v1 = {
    data: { hash: { algorithm: "sha512", value: digest.toString("hex") } },
    signature: { content, publicKey: { content: twice(pem) } },
  };
  const v2 = {
    data: { algorithm: "SHA2_512", digest: base64(digest) },
    signature: {
      content,
      verifier: { keyDetails: "PKIX_ED25519_PH", publicKey: { rawBytes: base64(spki) } },
    },
  };
  const kind = "hashedrekord";
  const entry = (version: 1 | 2, apiVersion: string, spec: JsonObject): LoggedCase => ({
    name: `${kind} ${apiVersion} of a message, by Ed25519ph`,
    version,
    logged,
    body: Buffer.from(canonicalJson({ apiVersion, kind, spec })),
  });
  return [entry(1, "0.0.1", v1), entry(2, "0.0.2", { hashedRekordV002: v2 })];
}

/** The certificate, and its key alone. */
function signersOf(leaf: Uint8Array) {
  const certificate = new X509Certificate(leaf);
  const spki = certificate.publicKey.export({ type: "spki", format: "der" });
  return [
    {
      by: "certificate",
      pem: twice(certificate.toString()),
      verifier: { case: "certificate", der: leaf },
      tiled: { x509Certificate: { rawBytes: base64(leaf) } },
    },
    {
      by: "key",
      pem: twice(certificate.publicKey.export({ type: "spki", format: "pem" }).toString()),
      verifier: { case: "key", spki },
      tiled: { publicKey: { rawBytes: base64(spki) } },
    },
  ] as const;
}

function request(
  bytes: Uint8Array,
  content: string,
  verifier: { x509Certificate: { rawBytes: string } } | { publicKey: { rawBytes: string } },
): HashedRekordRequest {
  return {
    digest: hash("sha256", bytes, "base64"),
    signature: { content, verifier: { keyDetails: "PKIX_ECDSA_P256_SHA_256", ...verifier } },
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** Base64 of a text, which may be base64 already. */
function twice(text: string): string {
  return Buffer.from(text).toString("base64");
}
