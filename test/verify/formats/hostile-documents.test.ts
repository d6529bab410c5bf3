import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { VouchsafeError } from "../../../src/errors.ts";
import {
  AttestationFormatError,
  type JsonObject,
  parseJson,
} from "../../../src/in-toto-attestation/index.ts";
import { embedLayer } from "../../../src/verify/formats/oci-layer.ts";
import { readEvidence } from "../../../src/verify/formats/read-evidence.ts";
import { withLogEntries } from "../../../src/verify/formats/rekor-entries.ts";
import { unpackEvidence } from "../../../src/verify/formats/unpack.ts";
import { verifyEvidence } from "../../../src/verify/verify-evidence.ts";
import { rekorAnswer } from "../../sigstore/rekor-search.ts";
import fc from "../../support/fc.ts";
import { bytesOf } from "../envelopes.ts";
import { NOW, type SignedBundles, signBundles } from "../signed-bundles.ts";
import {
  cosignBundle,
  layerDescriptor,
  legacyEnvelope,
  pypiAttestation,
  witnessEnvelope,
} from "./same-signature.ts";

let signed: SignedBundles;
/** Format → a good document of it. */
let documents: Record<string, object>;
let answer: object;
before(async () => {
  signed = await signBundles();
  const { provenance } = signed;
  const envelope = bytesOf(provenance.dsseEnvelope);
  const descriptor: JsonObject = JSON.parse(JSON.stringify(layerDescriptor(provenance, envelope)));
  documents = {
    bundle: provenance,
    legacy: legacyEnvelope(provenance),
    witness: witnessEnvelope(provenance),
    pypi: pypiAttestation(provenance),
    attestBlob: cosignBundle(provenance),
    signBlob: cosignBundle(signed.blob),
    layer: JSON.parse(embedLayer(descriptor, envelope).toString()),
    list: { attestations: [{ predicateType: "https://slsa.dev/provenance/v1", bundle: provenance }] },
    cloudBuild: { provenance_summary: { provenance: [{ envelope: provenance.dsseEnvelope }] } },
  };
  const [entry] = provenance.verificationMaterial.tlogEntries as unknown as { canonicalizedBody: string }[];
  const body = Buffer.from(entry?.canonicalizedBody ?? "", "base64");
  answer = await rekorAnswer(signed.sigstore.rekorUrl, body);
});
after(() => signed.sigstore.close());

/** What a stranger may write in the place of a value. */
const stranger = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(null, "", "AA==", 0, -1, 2 ** 53, 1e300, [], {}, [[]], "__proto__", "\u0000"),
);

/** The document with one value in it, chosen by `pick`, replaced. */
function replaced(document: object, pick: number, value: unknown): Buffer {
  const copy = JSON.parse(JSON.stringify(document));
  const places = placesIn(copy);
  const { holder, name } = places[pick % places.length] ?? { holder: copy, name: "x" };
  holder[name] = value;
  return bytesOf(copy);
}

interface Place {
  readonly holder: Record<string, unknown>;
  readonly name: string;
}

function placesIn(value: unknown): Place[] {
  if (typeof value !== "object" || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((name) => [{ holder, name }, ...placesIn(holder[name])]);
}

/** Runs it; an error must be one of ours. */
function orOurs(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof VouchsafeError) && !(error instanceof AttestationFormatError)) throw error;
  }
}

test("a document in which anything was replaced is read or refused, and nothing else happens", () => {
  const format = fc.constantFrom(...Object.keys(documents));
  fc.assert(
    fc.property(format, fc.nat(), stranger, (name, pick, value) => {
      const bytes = replaced(documents[name] ?? {}, pick, value);
      orOurs(() => readEvidence(parseJson(bytes) as JsonObject));
      orOurs(() => unpackEvidence(bytes));
    }),
    { numRuns: 3000 },
  );
});

test("what Rekor answers, with anything replaced, is joined or refused, and nothing else happens", () => {
  fc.assert(
    fc.property(fc.nat(), stranger, (pick, value) => {
      const bytes = replaced(answer, pick, value);
      orOurs(() => withLogEntries(bytesOf(documents.legacy), [parseJson(bytes)]));
    }),
    { numRuns: 1000 },
  );
});

test("with anything replaced a document says what the signer said, or is refused", () => {
  const format = fc.constantFrom("bundle", "pypi", "layer", "attestBlob");
  const said = verifyEvidence(bytesOf(signed.provenance), signed.trust, NOW).statement;
  fc.assert(
    fc.property(format, fc.nat(), stranger, (name, pick, value) => {
      const bytes = replaced(documents[name] ?? {}, pick, value);
      orOurs(() => assert.deepEqual(verifyEvidence(bytes, signed.trust, NOW).statement, said));
    }),
    { numRuns: 500 },
  );
});
