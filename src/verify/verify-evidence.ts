import { hash } from "node:crypto";
import { VouchsafeError } from "../errors.ts";
import {
  type Digest,
  digestOf,
  IN_TOTO_PAYLOAD_TYPE,
  isJsonObject,
  isKnownPredicateType,
  parseJson,
  parseStatement,
  sha256,
  subjectsOf,
} from "../in-toto-attestation/index.ts";
import type { TrustSnapshot } from "../trust/snapshot.ts";
import { covers } from "../trust/time-range.ts";
import { VerificationError } from "./findings.ts";
import { withOurErrors } from "./format-errors.ts";
import { readEvidence } from "./formats/read-evidence.ts";
import { checkNow, type Verification } from "./signature-check.ts";
import type { Content, SignedEvidence } from "./signed-evidence.ts";
import { sealVerified, type VerifiedAttestation, type VerifiedFacts } from "./verified-attestation.ts";
import type { VerifiedSignature } from "./verified-signature.ts";
import { requireHeld } from "./verify-key.ts";
import { verifySignature } from "./verify-signature.ts";

/** Evidence is some 10 kB; a bill of materials in it can be much larger. */
export const MAX_EVIDENCE_BYTES = 16 * 1024 * 1024;

/** What verification established for good: it depends on the evidence and the trust snapshot, and on no clock. */
export interface Examined {
  readonly facts: VerifiedFacts;
  /** When the key may be believed that signed without a trusted time; undefined where there was one. */
  readonly heldWithin: VerifiedSignature["heldWithin"];
}

/**
 * Verifies evidence of any format that is taken (docs/evidence.md) under a trust snapshot. `at` is now in
 * milliseconds since the epoch; it counts only for keys whose signatures carry no trusted time.
 *
 * Pure: the same bytes, snapshot and time give the same answer. Throws `VouchsafeError` with a code of the
 * section "Evidence", or of JSON and digests, for everything that does not verify.
 *
 * @param message the artifact's bytes, where they are at hand: for bundles that sign them and name no digest
 */
export function verifyEvidence(
  bytes: Uint8Array,
  trust: TrustSnapshot,
  at: number,
  message?: Uint8Array,
): VerifiedAttestation {
  return vouchFor(checkNow(examine(bytes, trust, message)), at);
}

/** Verifies who signed and when, whatever it is that was signed. Throws like `verifyEvidence`. */
export function verifySignatureOf(
  bytes: Uint8Array,
  trust: TrustSnapshot,
  at: number,
  message?: Uint8Array,
): VerifiedSignature {
  const signature = checkNow(examineSignature(bytes, trust, message));
  if (signature.heldWithin !== undefined) requireHeld(signature.heldWithin, at);
  return signature;
}

/** Whether it verifies at this time too: always, unless a key signed it without a trusted time. */
export function isHeld({ heldWithin }: Examined, at: number): boolean {
  return heldWithin === undefined || covers(heldWithin, at);
}

/** The rest of it. Throws `VouchsafeError` (`time-unverified`). */
export function vouchFor({ facts, heldWithin }: Examined, at: number): VerifiedAttestation {
  if (heldWithin !== undefined) requireHeld(heldWithin, at);
  return sealVerified(facts);
}

/**
 * Everything of `verifyEvidence` that does not depend on the time: a verification, to be run in either way.
 *
 * @param id sha256 of the bytes, where it is known already
 */
export function* examine(
  bytes: Uint8Array,
  trust: TrustSnapshot,
  message?: Uint8Array,
  id?: Digest,
): Verification<Examined> {
  return interpret(yield* examineSignature(bytes, trust, message), bytes, trust, message, id);
}

/** What a signature that verified says, of these bytes under this snapshot. Throws like `verifyEvidence`. */
export function interpret(
  signature: VerifiedSignature,
  bytes: Uint8Array,
  trust: TrustSnapshot,
  message?: Uint8Array,
  id = sha256(bytes),
): Examined {
  const { mediaType, content, signer, findings, predicateTypes, heldWithin } = signature;
  const { subjects, statement, payload } = withOurErrors(() => readContent(content, message));
  if (predicateTypes !== undefined && !predicateTypes.has(statement?.predicateType ?? "")) {
    const reason = "the signing key may not make statements of this predicate type";
    throw new VerificationError("statement", "key-not-allowed", reason, findings);
  }
  const facts: VerifiedFacts = {
    id,
    mediaType,
    ...(payload !== undefined && { payload }),
    subjects,
    ...(statement !== undefined && { statement }),
    signer,
    times: findings.times.map(({ time }) => time),
    findings,
    trustHash: trust.hash,
  };
  return { facts, heldWithin };
}

function* examineSignature(
  bytes: Uint8Array,
  trust: TrustSnapshot,
  message: Uint8Array | undefined,
): Verification<VerifiedSignature> {
  return yield* verifySignature(readBytes(bytes), trust, message);
}

/** Evidence taken apart by its format's reader; nothing of it is believed. Throws like `verifyEvidence`. */
export function readBytes(bytes: Uint8Array): SignedEvidence {
  return withOurErrors(() => {
    const json = parseJson(bytes, { maxBytes: MAX_EVIDENCE_BYTES });
    if (isJsonObject(json)) return readEvidence(json);
    throw new VouchsafeError("unknown-evidence-format", "the evidence is not a JSON object");
  });
}

/** What was signed: an in-toto Statement of a known predicate type, or a message. Throws errors of the formats too. */
export function readContent(
  content: Content,
  message?: Uint8Array,
): Pick<VerifiedFacts, "subjects" | "statement" | "payload"> {
  if (content.case === "message") {
    const digests = digestsOfMessage(content.digest, message);
    const [payload] = digests;
    return { subjects: [{ digests }], ...(payload !== undefined && { payload }) };
  }
  if (content.payloadType !== IN_TOTO_PAYLOAD_TYPE) {
    throw new VouchsafeError("malformed-statement", `the payload type is not ${IN_TOTO_PAYLOAD_TYPE}`);
  }
  const statement = parseStatement(content.payload.bytes);
  if (!isKnownPredicateType(statement.predicateType)) {
    throw new VouchsafeError(
      "unknown-predicate-type",
      "the Statement's predicate type is not one that is taken",
    );
  }
  const payload = digestOf("sha256", content.payload.digest("sha256").toString("hex"));
  return { subjects: subjectsOf(statement), statement, payload };
}

/** The message's digest, by the bundle's word or our own; where there are both they must be the same. */
function digestsOfMessage(
  digest: { readonly algorithm: string; readonly bytes: Uint8Array } | undefined,
  message: Uint8Array | undefined,
): Digest[] {
  const algorithm = digest?.algorithm ?? "sha256";
  const claimed = digest && Buffer.from(digest.bytes).toString("hex");
  const computed = message && hash(algorithm, message, "hex");
  if (claimed !== undefined && computed !== undefined && claimed !== computed) {
    throw new VouchsafeError("subject-mismatch", "the bundle's digest is not that of the artifact");
  }
  const hex = computed ?? claimed;
  return hex === undefined ? [] : [digestOf(algorithm, hex)];
}
