import type { KeyObject } from "node:crypto";
import { bundleFromJSON } from "@sigstore/bundle";
import { HashAlgorithm, TrustedRoot } from "@sigstore/protobuf-specs";
import {
  type SignedEntity,
  type TrustMaterial,
  toSignedEntity,
  toTrustMaterial,
  Verifier,
} from "@sigstore/verify";
import { VouchsafeError } from "../errors.ts";
import {
  AttestationFormatError,
  isJsonObject,
  type JsonObject,
  parseJson,
} from "../in-toto-attestation/index.ts";
import type { SigstoreInstance, Thresholds } from "../trust/sigstore-instance.ts";
import type { TrustSnapshot } from "../trust/snapshot.ts";
import { covers } from "../trust/time-range.ts";
import type { PreparedKey } from "../trust/trusted-key.ts";
import { readEvidence } from "./formats/read-evidence.ts";
import { signatureChecks } from "./schemes.ts";
import { checkNow, type Verification } from "./signature-check.ts";
import { overDigest, type Signed } from "./signed.ts";
import type { SignedEvidence } from "./signed-evidence.ts";
import { parseSigningCertificate } from "./signing-certificate.ts";
import type { Signer } from "./verified-attestation.ts";
import { MAX_EVIDENCE_BYTES } from "./verify-evidence.ts";

// The one place that knows @sigstore/verify.

/** What the library makes of evidence, or why it cannot be asked. */
export type Opinion =
  | { readonly case: "accepts" }
  | { readonly case: "refuses"; readonly reason: string }
  | { readonly case: "abstains"; readonly reason: string };

/**
 * Asks @sigstore/verify about evidence, under the same trust and thresholds. It is shown only what our own reader
 * took: that bounds what hostile evidence can cost, for the library counts nothing.
 *
 * @param signer who signed by our own verdict: the library must find the same. Undefined where we refused; the
 *   library then accepts if it does under any instance or key.
 */
export function secondOpinion(bytes: Uint8Array, trust: TrustSnapshot, signer?: Signer): Opinion {
  try {
    const json = parseJson(bytes, { maxBytes: MAX_EVIDENCE_BYTES });
    if (!isJsonObject(json)) return abstains("it is no JSON object");
    const evidence = readEvidence(json);
    const reason = beyondIt(evidence, json, trust, signer);
    return reason === undefined ? libraryOpinion(json, trust, signer) : abstains(reason);
  } catch (error) {
    if (!(error instanceof VouchsafeError || error instanceof AttestationFormatError)) throw error;
    return abstains("our own reader refused it");
  }
}

/**
 * The same for the JSON of any bundle, as whoever uses the library alone is answered; `json` is whatever
 * `JSON.parse` makes.
 */
export function libraryOpinion(json: JsonObject, trust: TrustSnapshot, signer?: Signer): Opinion {
  let refusal: Opinion = { case: "refuses", reason: "nobody is trusted who could have signed it" };
  for (const { material, thresholds } of candidates(json, trust, signer)) {
    const opinion = ask(json, material, thresholds, signer);
    if (opinion.case === "accepts") return opinion;
    refusal = opinion;
  }
  return refusal;
}

/** Why the library is not asked; undefined where it can judge. */
function beyondIt(
  { mediaType, content, signatures }: SignedEvidence,
  json: JsonObject,
  trust: TrustSnapshot,
  signer: Signer | undefined,
): string | undefined {
  if (json.mediaType !== mediaType) return "it knows Sigstore bundles alone";
  if (signer?.case === "certificate" && !trust.instances.some(({ name }) => name === signer.instance)) {
    return "it knows no private roots";
  }
  const [one] = signatures;
  if (one?.logEntries.some(({ kind }) => kind === "intoto 0.0.1"))
    return "it knows no log entries of intoto 0.0.1";
  if (content.case === "message" || one?.signer.case !== "certificate") return undefined;
  const { namedCurve = "prime256v1" } =
    parseSigningCertificate(one.signer.leaf).publicKey.asymmetricKeyDetails ?? {};
  return namedCurve === "prime256v1" ? undefined : "it hashes every envelope with SHA-256";
}

interface Candidate {
  readonly material: TrustMaterial;
  readonly thresholds: Thresholds;
}

/** Each costs the library a verification. */
const MAX_CANDIDATES = 16;

/** Under whose word the evidence may verify: those of our verdict, else all. */
function candidates(json: JsonObject, trust: TrustSnapshot, signer: Signer | undefined): Candidate[] {
  const { verificationMaterial } = json;
  const isKeyed = isJsonObject(verificationMaterial) && verificationMaterial.publicKey !== undefined;
  const all = isKeyed
    ? trust.keys
        .filter(({ keyId }) => signer === undefined || (signer.case === "key" && signer.keyId === keyId))
        .map((key) => ({ material: materialOfKey(key, trust), thresholds: { ...key.thresholds, scts: 0 } }))
    : trust.instances
        .filter(
          ({ name }) => signer === undefined || (signer.case === "certificate" && signer.instance === name),
        )
        .map((instance) => ({ material: materialOf(instance), thresholds: instance.thresholds }));
  return all.slice(0, MAX_CANDIDATES);
}

function ask(json: JsonObject, material: TrustMaterial, thresholds: Thresholds, signer?: Signer): Opinion {
  try {
    const { logEntries, scts, timestamps } = thresholds;
    const { identity } = new Verifier(material, {
      tlogThreshold: logEntries,
      ctlogThreshold: scts,
      timestampThreshold: timestamps,
    }).verify(toEntity(json));
    if (signer?.case !== "certificate") return { case: "accepts" };
    const { subjectAlternativeName = signer.identity, extensions } = identity ?? {};
    if (subjectAlternativeName === signer.identity && extensions?.issuer === signer.issuer) {
      return { case: "accepts" };
    }
    return { case: "refuses", reason: "it finds another signer" };
  } catch (error) {
    return { case: "refuses", reason: reasonOf(error) };
  }
}

function toEntity(json: JsonObject): SignedEntity {
  const bundle = bundleFromJSON(json);
  const entity = toSignedEntity(bundle);
  if (bundle.content.$case !== "messageSignature") return entity;
  // The library verifies a message's signature over the artifact, which is not at hand: over the digest we do it.
  const { messageDigest, signature: bytes } = bundle.content.messageSignature;
  const algorithm = MESSAGE_DIGESTS.get(messageDigest.algorithm);
  const { signature } = entity;
  return {
    ...entity,
    signature: {
      signature: signature.signature,
      compareSignature: (other) => signature.compareSignature(other),
      compareDigest: (other) => signature.compareDigest(other),
      compareSignedDigest: (other) => signature.compareSignedDigest(other),
      verifySignature: (key) =>
        algorithm !== undefined &&
        checkNow(isSigned(key, overDigest(algorithm, messageDigest.digest), bytes)),
    },
  };
}

const MESSAGE_DIGESTS: ReadonlyMap<HashAlgorithm, string> = new Map([
  [HashAlgorithm.SHA2_256, "sha256"],
  [HashAlgorithm.SHA2_384, "sha384"],
  [HashAlgorithm.SHA2_512, "sha512"],
]);

function* isSigned(key: KeyObject, signed: Signed, signature: Uint8Array): Verification<boolean> {
  const spki = key.export({ format: "der", type: "spki" });
  return (yield signatureChecks({ publicKey: key, spki }, signed, signature)).includes(true);
}

/** Log entries and timestamps count under any of the instances. */
function materialOfKey(key: PreparedKey, { instances }: TrustSnapshot): TrustMaterial {
  const all = instances.map(materialOf);
  return {
    certificateAuthorities: [],
    ctlogs: [],
    timestampAuthorities: all.flatMap(({ timestampAuthorities }) => timestampAuthorities),
    tlogs: all.flatMap(({ tlogs }) => tlogs),
    publicKey: () => ({ publicKey: key.publicKey, validFor: (date) => covers(key.validFor, date.getTime()) }),
  };
}

const materials = new WeakMap<SigstoreInstance, TrustMaterial>();

/** Keys and certificates are parsed once for each snapshot. */
function materialOf(instance: SigstoreInstance): TrustMaterial {
  const material = materials.get(instance) ?? toTrustMaterial(TrustedRoot.fromJSON(instance.trustedRoot));
  materials.set(instance, material);
  return material;
}

const MAX_REASON = 200;

/** Some of the library's failures are `TypeError`s: whatever it throws refuses. Its words may quote the evidence. */
function reasonOf(error: unknown): string {
  const said = error instanceof Error ? error.message : String(error);
  return said.replace(/[^\x20-\x7e]/g, "?").slice(0, MAX_REASON);
}

function abstains(reason: string): Opinion {
  return { case: "abstains", reason };
}
