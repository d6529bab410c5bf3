import { listIn, textIn } from "../../custody/body-fields.ts";
import { type Revocation, revocationOf, withoutRevoked } from "../../custody/revocations.ts";
import { VouchsafeError } from "../../errors.ts";
import { isJsonObject, parseJson } from "../../in-toto-attestation/json.ts";
import type { Digest, JsonObject } from "../../in-toto-attestation/types.ts";
import { type EditTally, NOTHING_TALLIED, tallyOf, together } from "../../policy/flips.ts";
import type { Containment, Question } from "../../policy/question.ts";
import { missingFor, type PolicyEdit, simulateEdit } from "../../policy/simulate.ts";
import { type Recalled, type Recorded, type RecordedSigner, recall } from "../../verify/recall.ts";

/** Artifacts, and all that is known about them. It crosses to another thread, so it is plain data. */
export interface SimulationBatch {
  readonly artifacts: readonly { readonly digest: Digest; readonly attestations: readonly Digest[] }[];
  /** Evidence about other artifacts, by its ids. */
  readonly others: ReadonlyMap<Digest, readonly Digest[]>;
  readonly manifests: readonly Containment[];
  /** Each piece of evidence, and the body of the event by which it was accepted: JSON. */
  readonly evidence: ReadonlyMap<Digest, { readonly evidence: string; readonly body: string }>;
  /** What was verified anew, in the place of what the log recorded; null: it does not verify, and does not count. */
  readonly verified: ReadonlyMap<Digest, Recorded | null>;
}

/** What batches are judged by. */
export interface SimulationTerms {
  readonly edits: readonly PolicyEdit[];
  /** Trust hashes under which what was verified is still believed. */
  readonly holding: ReadonlySet<string>;
  /** Evidence that they cover does not count. */
  readonly revocations: readonly Revocation[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The tallies in the order of the edits; or what must be known first: ask again with it. */
export type JudgedBatch =
  | { readonly case: "judged"; readonly tallies: readonly EditTally[] }
  | { readonly case: "missing"; readonly verify: readonly Digest[]; readonly about: readonly Digest[] };

/** Judges a batch by both sides of each edit. Takes the log's word for evidence that was verified under trust that holds. */
export function judgeBatch(
  { edits, holding, revocations, now }: SimulationTerms,
  batch: SimulationBatch,
): JudgedBatch {
  const verify = new Set<Digest>();
  const missingAbout = new Set<Digest>();
  const recalled = new Map<Digest, Recalled>();
  for (const id of batch.evidence.keys()) {
    if (batch.verified.get(id) === null) continue;
    const said = recallFrom(batch, id, holding);
    if (said !== undefined) recalled.set(id, said);
    // What was verified and still cannot be read does not count, rather than to be asked for again.
    else if (!batch.verified.has(id)) verify.add(id);
  }
  const about = (digest: Digest, ids: readonly Digest[]) =>
    ids
      .flatMap((id) => recalled.get(id) ?? [])
      .filter((said) => revocationOf(said, digest, revocations) === undefined);
  const others = new Map([...batch.others].map(([digest, ids]) => [digest, about(digest, ids)]));
  const manifests = withoutRevoked(batch.manifests, revocations);
  const questions = batch.artifacts.map(({ digest, attestations }): Question<Recalled> => {
    return { artifact: digest, evidence: about(digest, attestations), others, manifests };
  });
  for (const question of questions) {
    const missing = missingFor(edits, question);
    for (const id of missing.findings) verify.add(id);
    for (const digest of missing.about) missingAbout.add(digest);
  }
  if (verify.size + missingAbout.size > 0)
    return { case: "missing", verify: [...verify], about: [...missingAbout] };
  const tallies = edits.map((edit) =>
    questions
      .map((question) => tallyOf(question.artifact, simulateEdit(edit, question, now)))
      .reduce(together, NOTHING_TALLIED),
  );
  return { case: "judged", tallies };
}

function recallFrom(
  { evidence, verified }: SimulationBatch,
  id: Digest,
  holding: ReadonlySet<string>,
): Recalled | undefined {
  const texts = evidence.get(id);
  if (texts === undefined) return undefined;
  const recorded = verified.get(id) ?? recordedIn(id, bodyIn(Buffer.from(texts.body)), holding);
  return recorded && recall(Buffer.from(texts.evidence), recorded);
}

function bodyIn(bytes: Uint8Array): JsonObject {
  const body = parseJson(bytes);
  if (isJsonObject(body)) return body;
  throw new VouchsafeError("malformed-leaf", "An event's body is not a JSON object.");
}

function recordedIn(id: Digest, body: JsonObject, holding: ReadonlySet<string>): Recorded | undefined {
  if (!holding.has(textIn(body, "trust")) || textIn(body, "attestation") !== id) return undefined;
  const times = listIn(body, "times").map((time) => Date.parse(String(time)));
  return { id, signer: body.signer as unknown as RecordedSigner, times };
}
