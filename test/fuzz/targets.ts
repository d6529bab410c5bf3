import { existsSync } from "node:fs";
import { DerError, derChildren, readDer } from "../../src/der/reader.ts";
import { VouchsafeError } from "../../src/errors.ts";
import {
  AttestationFormatError,
  parseEnvelope,
  parseJson,
  parseStatement,
} from "../../src/in-toto-attestation/index.ts";
import { parseTrust } from "../../src/trust/snapshot.ts";
import { unpackEvidence } from "../../src/verify/formats/unpack.ts";
import { readCheckpoint } from "../../src/verify/log-checkpoint.ts";
import { bindBody } from "../../src/verify/log-entry-body.ts";
import { readScts } from "../../src/verify/sct.ts";
import { readSctList } from "../../src/verify/sct-list.ts";
import { parseSigningCertificate } from "../../src/verify/signing-certificate.ts";
import { verifyEvidence } from "../../src/verify/verify-evidence.ts";
import { parseCertificate } from "../../src/x509/certificate.ts";
import {
  authorityKeyIdentifierOf,
  basicConstraintsOf,
  extendedKeyUsagesOf,
  keyUsageOf,
  subjectKeyIdentifierOf,
  uriNamesOf,
} from "../../src/x509/extensions.ts";
import { trustOf } from "../corpus/case-trust.ts";
import { openCorpus } from "../corpus/manifest.ts";
import { CORPUS, loadOriginals } from "../differential/originals.ts";
import { createRekorLog } from "../sigstore/rekor-log.ts";
import { bytesOf, envelope, SIGNERS } from "../verify/envelopes.ts";
import { cosignBundle } from "../verify/formats/same-signature.ts";
import { FOR_TIMESTAMPS, issueCertificate } from "../verify/issued-certificates.ts";
import { loggedCases } from "../verify/logged-signatures.ts";
import { ctLog, sctExtension, sctOf, vector } from "../verify/scts.ts";
import { NOW, signBundles } from "../verify/signed-bundles.ts";
import { root, stamp, verifyTimestamp } from "../verify/trusted-tsa.ts";
import { accessTargets } from "./access-targets.ts";
import { followedLogTargets } from "./log-targets.ts";

/** Something that reads bytes which anyone may have sent. */
export interface Target {
  readonly name: string;
  /** Bytes that it reads to the end. */
  readonly seeds: readonly Uint8Array[];
  read(bytes: Uint8Array): unknown;
  /** What it throws for bytes that it refuses; anything else is a fault. */
  readonly refusals: readonly (new (
    ...given: never[]
  ) => Error)[];
}

/** A parser of the house's inside throws its own error, which its caller turns into ours. */
const INNER = [VouchsafeError, AttestationFormatError, DerError];
const FORMATS = [VouchsafeError, AttestationFormatError];

export async function loadTargets(): Promise<readonly Target[]> {
  return [
    ...(await evidence()),
    await cosignTarget(),
    ...jsonTargets(),
    ...accessTargets(),
    ...derTargets(),
    ...(await logTargets()),
    ...followedLogTargets(),
    ...corpusTargets(),
  ];
}

/** Of each kind of bundle, some: the whole verification is what reads them. */
async function evidence(): Promise<Target[]> {
  const originals = await loadOriginals();
  const kinds = new Map(originals.map((one) => [`${one.trust.hash} ${one.json.mediaType}`, one]));
  const trusts = new Map([...kinds.values()].map(({ trust }) => [trust.hash, trust]));
  return [...trusts.values()].slice(-4).map((trust) => ({
    name: `a Sigstore bundle, under ${trust.instances[0]?.name ?? "keys"} ${trust.hash.slice(7, 13)}`,
    seeds: originals.filter((one) => one.trust === trust).map(({ json }) => bytesOf(json)),
    read: (bytes) => verifyEvidence(bytes, trust, NOW),
    refusals: [VouchsafeError],
  }));
}

/** The corpus has none. */
async function cosignTarget(): Promise<Target> {
  const { sigstore, trust, blob, provenance } = await signBundles();
  await sigstore.close();
  return {
    name: "cosign's own bundle",
    seeds: [blob, provenance].map((bundle) => bytesOf(cosignBundle(bundle))),
    read: (bytes) => verifyEvidence(bytes, trust, NOW),
    refusals: [VouchsafeError],
  };
}

function jsonTargets(): Target[] {
  const dsse = bytesOf(envelope(SIGNERS.slice(0, 3)));
  const statement = Buffer.from(envelope([]).payload, "base64");
  return [
    {
      name: "JSON",
      seeds: [dsse, statement],
      read: (bytes) => parseJson(bytes),
      refusals: [AttestationFormatError],
    },
    {
      name: "a DSSE envelope",
      seeds: [dsse],
      read: (bytes) => parseEnvelope(parseJson(bytes)),
      refusals: [AttestationFormatError],
    },
    { name: "a Statement", seeds: [statement], read: parseStatement, refusals: [AttestationFormatError] },
    {
      name: "a trust document",
      seeds: [bytesOf({ sigstore: [], keys: [] })],
      read: parseTrust,
      refusals: [VouchsafeError],
    },
  ];
}

function derTargets(): Target[] {
  const log = ctLog();
  const options = { name: "leaf", issuer: root, extensions: [FOR_TIMESTAMPS] };
  const sct = sctOf(log, options);
  const { certificate } = issueCertificate({
    ...options,
    extensions: [FOR_TIMESTAMPS, sctExtension(sct, sct)],
  });
  const issuer = parseCertificate(root.certificate);
  return [
    { name: "DER", seeds: [certificate, stamp()], read: walk, refusals: [DerError] },
    {
      name: "an X.509 certificate",
      seeds: [certificate, root.certificate],
      read: readAllOf,
      refusals: [DerError],
    },
    {
      name: "a signing certificate",
      seeds: [certificate],
      read: parseSigningCertificate,
      refusals: [VouchsafeError],
    },
    {
      name: "a certificate's SCTs",
      seeds: [certificate],
      read: (bytes) => readScts(parseCertificate(bytes), issuer, [log.authority]),
      refusals: INNER,
    },
    {
      name: "a list of SCTs",
      seeds: [vector(vector(sct), vector(sct))],
      read: readSctList,
      refusals: [DerError],
    },
    {
      name: "a timestamp",
      seeds: [stamp()],
      read: (bytes) => verifyTimestamp(bytes),
      refusals: [VouchsafeError],
    },
  ];
}

async function logTargets(): Promise<Target[]> {
  const log = createRekorLog({ name: "rekor.example", version: 1 });
  const [entry] = log.enter([bytesOf({ apiVersion: "0.0.1", kind: "any" })]);
  const bodies = (await loggedCases()).map(({ name, logged, body }): Target => {
    const { apiVersion, kind } = JSON.parse(Buffer.from(body).toString());
    const entry = { logIndex: 0, logId: "00", kind: `${kind} ${apiVersion}` };
    return {
      name: `the body of a log's entry: ${name}`,
      seeds: [body],
      read: (bytes) => bindBody({ ...entry, body: bytes }, logged),
      refusals: INNER,
    };
  });
  return [
    {
      name: "a checkpoint",
      seeds: [Buffer.from(entry?.proof?.checkpoint ?? "")],
      read: (bytes) => readCheckpoint(Buffer.from(bytes).toString(), [log.authority]),
      refusals: [VouchsafeError],
    },
    ...bodies,
  ];
}

/** The formats that only the corpus has real documents of. */
function corpusTargets(): Target[] {
  if (!existsSync(`${CORPUS}/MANIFEST.json`)) return [];
  const corpus = openCorpus(CORPUS);
  return [
    "npm-attestations",
    "pypi-provenance",
    "pypi-attestation",
    "gcb-provenance",
    "dsse-with-cert",
    "oci-cosign-attestation",
  ].flatMap((format) => {
    const cases = corpus.cases.filter((one) => one.format === format).slice(0, 4);
    const [first] = cases;
    if (first === undefined) return [];
    const trust = trustOf(first, corpus);
    return [
      {
        name: `${format}, unpacked and verified`,
        seeds: cases.map(({ files }) => corpus.read(files.bundle)),
        read: (bytes: Uint8Array) => {
          for (const piece of unpackEvidence(bytes) ?? [bytes]) verifyEvidence(piece, trust, NOW);
        },
        refusals: FORMATS,
      },
    ];
  });
}

function walk(bytes: Uint8Array): void {
  const { tag, content } = readDer(bytes);
  if ((tag & 0x20) !== 0) for (const { encoded } of derChildren(content)) walk(encoded);
}

function readAllOf(bytes: Uint8Array): void {
  const certificate = parseCertificate(bytes);
  for (const read of [
    authorityKeyIdentifierOf,
    basicConstraintsOf,
    extendedKeyUsagesOf,
    keyUsageOf,
    subjectKeyIdentifierOf,
    uriNamesOf,
  ]) {
    read(certificate);
  }
}
