import { existsSync } from "node:fs";
import type { JsonObject } from "../../src/in-toto-attestation/types.ts";
import { createTrust, type TrustSnapshot } from "../../src/trust/snapshot.ts";
import { withOurErrors } from "../../src/verify/format-errors.ts";
import { unpackEvidence } from "../../src/verify/formats/unpack.ts";
import { libraryOpinion } from "../../src/verify/second-opinion.ts";
import { trustOf } from "../corpus/case-trust.ts";
import { openCorpus } from "../corpus/manifest.ts";
import { type Sigstore, startSigstore } from "../sigstore/instance.ts";
import { slsaProvenance } from "../sigstore/provenance.ts";
import { bytesOf, envelope, SIGNERS, trustedKey } from "../verify/envelopes.ts";
import { artifact } from "../verify/signed-bundles.ts";
import { type Answer, verdictOf } from "./verdict.ts";

/** A bundle that both verifiers accept. */
export interface Original {
  readonly id: string;
  readonly json: JsonObject;
  readonly trust: TrustSnapshot;
  /** Our verdict of it. */
  readonly answer: Answer;
}

export const CORPUS = new URL("../../../shared/corpus", import.meta.url).pathname;

/** A corpus holds many bundles of one make and trust: so many of each keep the others in sight. */
const OF_A_KIND = 6;

/** Bundles that both verifiers accept: of the corpus where it is here, and of an instance of the run's own. */
export async function loadOriginals(): Promise<readonly Original[]> {
  const corpus = existsSync(`${CORPUS}/MANIFEST.json`) ? corpusBundles() : [];
  return [...corpus, ...(await localBundles())];
}

function corpusBundles(): Original[] {
  const corpus = openCorpus(CORPUS);
  const kinds = new Map<string, number>();
  const positives = corpus.cases.filter(
    ({ expected, format }) => expected === "verified" && /^(sigstore-bundle|npm)/.test(format),
  );
  return positives.flatMap((test) => {
    const trust = trustOf(test, corpus);
    const file = corpus.read(test.files.bundle);
    const pieces = withOurErrors(() => unpackEvidence(file)) ?? [file];
    return pieces.flatMap((piece, i) => {
      const [original] = originalsOf(`${test.id}#${i}`, piece, trust);
      if (original === undefined) return [];
      const kind = `${test.format} ${trust.hash} ${original.json.messageSignature === undefined} ${piece.length >> 12}`;
      const seen = kinds.get(kind) ?? 0;
      kinds.set(kind, seen + 1);
      return seen < OF_A_KIND ? [original] : [];
    });
  });
}

async function localBundles(): Promise<Original[]> {
  // Each says another time, so that one bundle's time shows in another. Whole seconds: @sigstore/core cannot read a
  // fraction whose last digit is a dropped zero.
  let time = Math.ceil(Date.now() / 1000) * 1000;
  const tick = () => {
    time += 1000;
    return time;
  };
  const sigstore = await startSigstore({ tiles: true, tsa: tick, rekor: tick });
  try {
    const keys = SIGNERS.filter(({ name }) => ["p256", "ed25519"].includes(name));
    const trust = createTrust({
      sigstore: [{ name: "local", trustedRoot: sigstore.trustedRoot }],
      keys: keys.map((key) => trustedKey(key)),
    });
    const signed = await signEachKind(sigstore);
    const keyed = keys.map((key): [string, Uint8Array] => [
      `local/key-${key.name}`,
      bytesOf({
        mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
        verificationMaterial: { publicKey: { hint: key.name }, tlogEntries: [] },
        dsseEnvelope: envelope([key]),
      }),
    ]);
    return [...signed, ...keyed].flatMap(([id, bytes]) => originalsOf(id, bytes, trust));
  } finally {
    await sigstore.close();
  }
}

async function signEachKind(sigstore: Sigstore): Promise<[string, Uint8Array][]> {
  const statement = slsaProvenance([artifact]);
  const sign = sigstore.signStatement;
  return [
    ["local/rekor", await sign(statement)],
    ["local/rekor-2", await sign(statement)],
    ["local/rekor+tsa", await sign(statement, { witnesses: ["rekor", "tsa"] })],
    ["local/rekor+tsa-2", await sign(statement, { witnesses: ["rekor", "tsa"] })],
    ["local/tiles+tsa", await sign(statement, { witnesses: ["rekor-tiles", "tsa"] })],
    ["local/tiles+tsa-2", await sign(statement, { witnesses: ["rekor-tiles", "tsa"] })],
    ["local/all", await sign(statement, { witnesses: ["rekor", "rekor-tiles", "tsa"] })],
    ["local/intoto", await sign(statement, { entryType: "intoto" })],
    ["local/v0.2", await sign(statement, { witnesses: ["rekor", "tsa"], asVersion02: true })],
    ["local/blob", await sigstore.signBlob(artifact.bytes, { witnesses: ["rekor", "tsa"] })],
    ["local/blob-2", await sigstore.signBlob(Buffer.from("another"))],
  ];
}

/** It, if both accept it as it stands; what only one accepts is for the table's own tests. */
function originalsOf(id: string, bytes: Uint8Array, trust: TrustSnapshot): Original[] {
  const answer = verdictOf(bytes, trust);
  if (answer.case === "refused") return [];
  const json: JsonObject = JSON.parse(Buffer.from(bytes).toString());
  const opinion = libraryOpinion(json, trust, answer.signature.signer);
  return opinion.case === "accepts" ? [{ id, json, trust, answer }] : [];
}
