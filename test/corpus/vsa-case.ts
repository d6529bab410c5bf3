import { unmetDemands, verificationSummaryOf } from "../../src/in-toto-attestation/index.ts";
import { verifyEvidence } from "../../src/verify/verify-evidence.ts";
import { trustOf } from "./case-trust.ts";
import type { Case, Corpus } from "./manifest.ts";

/** A verification summary by a trusted key, held to what the case demands of it. */
export function checkSummary(test: Case, corpus: Corpus, now: number): string | undefined {
  const { verifierId = "", resourceUri = "", verifiedLevels = [], subjectDigests = [] } = test.policy ?? {};
  const { statement } = verifyEvidence(corpus.read(test.files.bundle), trustOf(test, corpus), now);
  const summary = statement && verificationSummaryOf(statement);
  if (statement === undefined || summary === undefined) return "there is no verification summary";
  // Of any algorithm, also of those that ground no decision here: `gce_image_id` is Google's own.
  const digests = statement.subject.flatMap(({ digest }) =>
    Object.entries(digest).map(([algorithm, value]) => `${algorithm}:${value}`),
  );
  const missing = subjectDigests.filter((digest) => !digests.includes(digest));
  if (missing.length > 0) return `it is not about ${missing.join(", ")}`;
  const unmet = unmetDemands(summary, { verifierId, resourceUri, verifiedLevels });
  if (unmet.length === 0) return undefined;
  return unmet
    .map(({ demand, expected, actual }) => `${demand}: expected ${expected}, got ${actual}`)
    .join("; ");
}
