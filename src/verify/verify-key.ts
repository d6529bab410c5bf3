import { VouchsafeError } from "../errors.ts";
import type { TrustSnapshot } from "../trust/snapshot.ts";
import { covers, type TimeRange } from "../trust/time-range.ts";
import type { PreparedKey } from "../trust/trusted-key.ts";
import { anchorsOf } from "./anchors.ts";
import { type Findings, NOTHING_FOUND, VerificationError } from "./findings.ts";
import { mayNeedBytes, signatureChecks } from "./schemes.ts";
import { holding, isInJavaScript, type SignatureCheck, type Verification } from "./signature-check.ts";
import type { Signed } from "./signed.ts";
import type { Content, EvidenceSignature } from "./signed-evidence.ts";
import { claimsOfWitnesses, requireLogEntries, requireTimes, trustedTimes } from "./witnessed.ts";

/** Which key signed, and what the steps found. */
export interface KeyedSignature {
  readonly key: PreparedKey;
  readonly findings: Findings;
  /** Where no trusted time says when it signed: when it may be believed. */
  readonly heldWithin?: TimeRange;
}

/** Signatures verified for one piece of evidence at most: bounds what a hostile envelope can cost. */
const MAX_ATTEMPTS = {
  /** All the keys that trust may hold, by two schemes each, for four signatures: most take some 0.1 ms of a thread. */
  small: 512,
  /** Each hashes anew what was signed, which is what costs where that is long. */
  large: 64,
  /** 2 to 8 ms each of the calling thread. */
  inJavaScript: 16,
} as const;
/** What all attempts together may hash before it is the large bound that holds. */
const MAX_HASHED_BYTES = 64 * 1024 * 1024;

/** Trusted keys' signatures of one batch whose witnesses are looked at: honest evidence has one, or two while a key is replaced. */
const MAX_MADE = 4;

/**
 * Goes through the checklist for signatures of keys: which trusted key made one of them, and what evidence of
 * time and log came with it. The key's own thresholds say how much there must be; what there is must hold.
 *
 * A key that a signature names is asked first, and what takes long of any key last; because writers name keys in many
 * ways, every other key of the snapshot is asked after it. Of several signatures that hold, the first with a trusted time
 * counts, else the first: one that lacks what its key asks for takes nothing away from another.
 *
 * Throws `VouchsafeError`.
 */
export function* verifyWithKey(
  signatures: readonly EvidenceSignature[],
  content: Content,
  signed: Signed,
  trust: TrustSnapshot,
): Verification<KeyedSignature> {
  const attempts = attemptsOf(trust.keys, content, signed, signatures);
  const batches = batchesOf(attempts, signed);
  let refusal: VouchsafeError | undefined;
  for (const batch of batches) {
    const answers = yield batch.map(({ check }) => check);
    let untimed: KeyedSignature | undefined;
    for (const made of batch.filter((_, i) => answers[i]).slice(0, MAX_MADE)) {
      try {
        const found = yield* byKey(made, content, signed, trust);
        if (found.heldWithin === undefined) return found;
        untimed ??= found;
      } catch (error) {
        if (!(error instanceof VouchsafeError)) throw error;
        refusal ??= error;
      }
    }
    if (untimed !== undefined) return untimed;
  }
  throw refusal ?? refusalOf(trust.keys, attempts, new Set(batches.flat()));
}

/** The checklist for a signature that this key made. */
function* byKey(
  { key, one }: Attempt,
  content: Content,
  signed: Signed,
  trust: TrustSnapshot,
): Verification<KeyedSignature> {
  const verifier = { case: "key", spki: key.spki } as const;
  const logged = { signature: one.signature, verifier, content, signed };
  const { timestamps, entries } = claimsOfWitnesses(one, anchorsOf(trust).witnesses, logged);
  const [heldTimestamps, heldEntries] = yield* holding([timestamps.claims, entries.claims]);

  const { thresholds } = key;
  const failure = timestamps.failure ?? entries.failure;
  const times = trustedTimes(heldTimestamps, heldEntries);
  requireTimes(times, Math.max(thresholds.timestamps, one.timestamps.length > 0 ? 1 : 0), failure);
  if (!times.every(({ time }) => covers(key.validFor, time))) throw notThen(key, times);

  const needed = Math.max(thresholds.logEntries, one.logEntries.length > 0 ? 1 : 0);
  const logEntries = requireLogEntries(heldEntries, times, needed, entries.failure, { times });
  const findings = { ...NOTHING_FOUND, times, logEntries };
  return times.length > 0 ? { key, findings } : { key, findings, heldWithin: key.validFor };
}

/** Without a trusted time the key must be valid when it is asked about. Throws `VouchsafeError` (`time-unverified`). */
export function requireHeld(heldWithin: TimeRange, at: number): void {
  if (covers(heldWithin, at)) return;
  throw new VerificationError(
    "time",
    "time-unverified",
    "the key is not valid now, and no trusted time is in the evidence",
  );
}

interface Attempt {
  readonly key: PreparedKey;
  readonly one: EvidenceSignature;
  /** Whether the signature names this key. */
  readonly named: boolean;
  /** Place of the scheme among those of its key: 0 for the usual one. */
  readonly round: number;
  readonly check: SignatureCheck;
}

/** All that could be tried. */
function attemptsOf(
  keys: readonly PreparedKey[],
  content: Content,
  signed: Signed,
  signatures: readonly EvidenceSignature[],
): Attempt[] {
  return signatures.flatMap((one) =>
    keys.flatMap((key) =>
      signatureChecks(key, signed, one.signature)
        .filter(({ scheme }) => !scheme.prehashed || mayBePrehashed(one, content))
        .map((check, round) => ({ key, one, named: isNamedBy(one, key), round, check })),
    ),
  );
}

/** What is tried at once, in the order in which it is tried; none is empty. */
function batchesOf(attempts: readonly Attempt[], { bytes }: Signed): Attempt[][] {
  const { small, large, inJavaScript } = MAX_ATTEMPTS;
  const most = Math.min(small, Math.max(large, Math.floor(MAX_HASHED_BYTES / (bytes?.length || 1))));
  const quick = likeliest(
    attempts.filter(({ check }) => !isInJavaScript(check)),
    most,
  );
  const slow = likeliest(
    attempts.filter(({ check }) => isInJavaScript(check)),
    inJavaScript,
  );
  const batches = [quick, slow].flatMap((some) => [
    some.filter((one) => one.named),
    some.filter((one) => !one.named),
  ]);
  return batches.filter(({ length }) => length > 0);
}

/** So many of them: by keys that are named, then by every key's usual scheme before any other. Their order stays. */
function likeliest(attempts: readonly Attempt[], most: number): readonly Attempt[] {
  if (attempts.length <= most) return attempts;
  const rank = ({ named, round }: Attempt) => (named ? 0 : 1 + round);
  const kept = new Set(attempts.toSorted((a, b) => rank(a) - rank(b)).slice(0, most));
  return attempts.filter((one) => kept.has(one));
}

/** An envelope that no log was told of is signed by plain Ed25519; it may have many signatures, and each would be tried. */
function mayBePrehashed({ logEntries }: EvidenceSignature, content: Content): boolean {
  return content.case === "message" || logEntries.length > 0;
}

/** By its id, its name or, as Sigstore's clients write hints, the base64 of its fingerprint. */
function isNamedBy({ signer }: EvidenceSignature, { keyId, name, fingerprint }: PreparedKey): boolean {
  const { hint } = signer.case === "key" ? signer : {};
  if (hint === undefined) return false;
  return hint === keyId || hint === name || hint === Buffer.from(fingerprint, "hex").toString("base64");
}

/** @param tried the attempts that were within bounds */
function refusalOf(
  keys: readonly PreparedKey[],
  attempts: readonly Attempt[],
  tried: ReadonlySet<Attempt>,
): VouchsafeError {
  const named = attempts.filter((one) => one.named);
  const meant = named.length > 0 ? named : attempts;
  if (keys.length > 0 && (meant.length === 0 || meant.some(({ check }) => mayNeedBytes(check)))) {
    const reason = "no trusted key can sign this in a way that is verified here";
    return new VerificationError("signature", "unsupported-algorithm", reason);
  }
  if (meant.some((one) => !tried.has(one))) {
    const reason =
      "no trusted key that was tried made the signature, and not all could be tried: have it name its key";
    return new VerificationError("signature", "too-many-items", reason);
  }
  return named.length > 0
    ? new VerificationError("signature", "signature-invalid", "the signature is not of the key that it names")
    : new VerificationError("signature", "unknown-key", "no key of the trust snapshot made the signature");
}

function notThen({ name }: PreparedKey, times: Findings["times"]): VerificationError {
  const reason = `the key ${name} was not valid at every trusted time`;
  return new VerificationError("time", "time-unverified", reason, { times });
}
