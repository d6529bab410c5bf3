import { isUtf8 } from "node:buffer";
import { libraryOpinion, type Opinion } from "../../src/verify/second-opinion.ts";
import type { Original } from "./originals.ts";
import type { Answer } from "./verdict.ts";

/** A mutated bundle on which the two verifiers differ. */
export interface Disagreement {
  readonly bytes: Buffer;
  readonly ours: Answer;
  readonly theirs: Opinion;
  readonly original: Original;
}

/**
 * Every way in which the verifiers are known to differ about a bundle: what is different, and why ours is so. A
 * disagreement that fits none of them is a fault of one of the two, and fails the run.
 */
const RULES: Readonly<Record<string, (disagreement: Disagreement) => boolean>> = {
  // The library counts all that is there and refuses for the first that does not hold. Whoever adds something bad to a
  // bundle could so take evidence away; here what does not hold does not count (decisions/0013).
  "a bad log entry or timestamp does not veto a good one": ({ bytes, ours, theirs }) =>
    ours.case === "accepted" && theirs.case === "refuses" && hasUncounted(bytes, ours),
  "what is there twice is there once": ({ bytes, ours, theirs }) =>
    ours.case === "accepted" &&
    theirs.case === "refuses" &&
    /^duplicate (timestamp|tlog entry)$/.test(theirs.reason) &&
    hasRepetition(bytes),

  // Nothing signs the list of certificates in a token, nor its status: whoever spoils them must not take evidence away
  // (decisions/0014).
  "what nothing signs in a timestamp need not be readable": ({ bytes, ours, theirs, original }) =>
    ours.case === "accepted" && theirs.case === "refuses" && isAcceptedWithItsTimestamps(bytes, original),

  // Strict reading: one document has one meaning, to every reader. Each of these the library passes over.
  "text is UTF-8": ({ bytes, ours }) => refusedAs(ours, "malformed-json") && !isUtf8(bytes),
  "no member is unknown": refusal("malformed-bundle", /has an unknown member$/),
  "base64 has one spelling in each alphabet": refusal(/^malformed-(bundle|envelope)$/, / is not base64$/),
  "whole numbers are strings of decimal digits": refusal("malformed-bundle", / is not a whole number$/),
  "a member is of its type": refusal(
    /^malformed-(bundle|envelope)$/,
    / is not (an array|an object|a string)$/,
  ),
  "a message's digest is as long as its algorithm makes it": refusal(
    "malformed-bundle",
    /messageDigest is not a SHA-2 digest$/,
  ),
  "media types are spelt exactly": refusal("malformed-bundle", /the media type is not known$/),
  // sigstore_bundle.proto: a bundle of v0.1 has the promise. The library asks for it where that version is spelt in the
  // older of its two ways, and takes the other for a later version.
  "a bundle of v0.1 has its log's promise, however the version is spelt": (disagreement) =>
    refusal("malformed-bundle", /a log entry has no inclusion promise$/)(disagreement) &&
    JSON.parse(disagreement.bytes.toString()).mediaType === "application/vnd.dev.sigstore.bundle.v0.1+json",

  // Of what is not signed in a certificate or a timestamp, the library reads what it needs.
  "certificates are DER to the last byte": refusal(
    "certificate-invalid",
    /the signing certificate is refused: it cannot be read$/,
  ),
  "timestamps are DER, and what RFC 5652 says, to the last byte": refusal(
    "time-unverified",
    /the timestamp is refused: (?!it stamps |its content is not |what it signs is no )/,
  ),

  // A log entry repeats what its checkpoint says. The library believes the checkpoint and does not compare.
  "a proof repeats its checkpoint's tree": entryRefusal(
    /its proof is for another tree than its checkpoint's$/,
  ),
  "an entry of a log of tiles stands at its proof's index": entryRefusal(/it is not proven at its index$/),
  // Signed notes are read to the byte (c2sp.org/signed-note); the library picks out what looks like a signature.
  "signed notes have one form": entryRefusal(
    /(a signature line has another form|does not end in a newline|has no empty lines|has a control character|is not base64 of a key id and more)$/,
  ),
  "a checkpoint's signature bears the log's whole name": entryRefusal(
    /(no trusted log signed the checkpoint|the checkpoint is of another log)$/,
  ),
};

/** The rule that explains it; undefined where none does. */
export function explain(disagreement: Disagreement): string | undefined {
  return Object.entries(RULES).find(([, explains]) => explains(disagreement))?.[0];
}

export const RULE_NAMES: readonly string[] = Object.keys(RULES);

function refusal(code: string | RegExp, message: RegExp): (disagreement: Disagreement) => boolean {
  return ({ ours, theirs }) =>
    theirs.case === "accepts" &&
    refusedAs(ours, code) &&
    ours.case === "refused" &&
    message.test(ours.message);
}

/** Where the entry is the one source of time, its refusal is told as that. */
function entryRefusal(message: RegExp): (disagreement: Disagreement) => boolean {
  return refusal(/^(log-entry-invalid|time-unverified)$/, message);
}

function refusedAs(ours: Answer, code: string | RegExp): boolean {
  return ours.case === "refused" && (typeof code === "string" ? ours.code === code : code.test(ours.code));
}

/**
 * Whether the library accepts it once the original's timestamps stand in it, and they are those but for what is not signed:
 * a token ends with its signature.
 */
function isAcceptedWithItsTimestamps(bytes: Buffer, { json, trust }: Original): boolean {
  const copy = JSON.parse(bytes.toString());
  const { timestampVerificationData } = JSON.parse(JSON.stringify(json)).verificationMaterial;
  const signatures = new Set(signaturesOf(timestampVerificationData));
  const isTheirs = signaturesOf(copy.verificationMaterial.timestampVerificationData).every((one) =>
    signatures.has(one),
  );
  copy.verificationMaterial.timestampVerificationData = timestampVerificationData;
  return isTheirs && libraryOpinion(copy, trust).case === "accepts";
}

function signaturesOf(data: { rfc3161Timestamps?: { signedTimestamp: string }[] } | undefined): string[] {
  const tokens = data?.rfc3161Timestamps ?? [];
  return tokens.map(({ signedTimestamp }) =>
    Buffer.from(signedTimestamp, "base64").subarray(-48).toString("hex"),
  );
}

/**
 * A log's entry is the same by its body and log, and its time by that; a timestamp may be written in two ways and say the
 * same.
 */
function hasRepetition(bytes: Buffer): boolean {
  const { tlogEntries = [], timestampVerificationData } = JSON.parse(bytes.toString()).verificationMaterial;
  const entries: string[] = tlogEntries.map(
    ({ canonicalizedBody }: { canonicalizedBody: string }) => canonicalizedBody,
  );
  const timestamps: unknown[] = timestampVerificationData?.rfc3161Timestamps ?? [];
  return new Set(entries).size < entries.length || timestamps.length > 1;
}

/** Whether the bundle has log entries or timestamps that our verdict did not count. */
function hasUncounted(bytes: Buffer, { signature }: Answer & { case: "accepted" }): boolean {
  const { tlogEntries, timestampVerificationData } = JSON.parse(bytes.toString()).verificationMaterial;
  const { logEntries, times } = signature.findings;
  return (
    (tlogEntries?.length ?? 0) > logEntries.length ||
    (timestampVerificationData?.rfc3161Timestamps?.length ?? 0) >
      times.filter(({ source }) => source === "timestamp-authority").length
  );
}
