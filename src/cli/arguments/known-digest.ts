import { ApiError } from "../../client/api-error.ts";
import type { Client, Question } from "../../client/client.ts";
import type { Decision } from "../../client/types.ts";
import { digestsOfArgument } from "./artifact.ts";

/** Reasons that say no more than that nothing was found to judge. */
const NOTHING_FOUND: ReadonlySet<string> = new Set(["no-verdict", "would-deny"]);

/**
 * The digest that an artifact is recorded by: as it is named, or of a file's the first that evidence is about (npm's is
 * about the sha512 alone); else the first of which anything is recorded, else its sha256.
 */
export async function knownDigest(client: Client, argument: string): Promise<string> {
  const digests = await digestsOfArgument(argument);
  const [first] = digests;
  if (digests.length === 1) return first;
  const recorded = (await Promise.all(digests.map((digest) => readIfRecorded(client, digest)))).flatMap(
    (artifact) => artifact ?? [],
  );
  const known = recorded.find(({ attestations }) => attestations.length > 0) ?? recorded[0];
  return known?.digest ?? first;
}

function readIfRecorded(client: Client, digest: string) {
  return client.readArtifact(digest).catch((error: unknown) => {
    if (error instanceof ApiError && error.code === "not-found") return undefined;
    throw error;
  });
}

/** The decision about an artifact, by all the digests that are known of it: see `decisionAmong`. */
export async function decisionAbout(client: Client, argument: string, question: Question): Promise<Decision> {
  const digests = await digestsOfArgument(argument);
  if (digests.length === 1) return client.verifyDigest(digests[0], question);
  const decision = decisionAmong(await client.verifyDigests(digests, question));
  if (decision === undefined) throw new TypeError("each digest has a decision");
  return decision;
}

/**
 * Of the decisions on each of an artifact's digests the one that counts: one that is denied denies it, because the bytes are the
 * same. Only where nothing was found to judge about a digest do the others alone decide. Undefined where there are none.
 */
export function decisionAmong(decisions: readonly Decision[]): Decision | undefined {
  const judged = decisions.filter(
    ({ policies, reasons }) => policies.length > 0 || reasons.some(({ code }) => !NOTHING_FOUND.has(code)),
  );
  return judged.find(({ decision }) => decision === "deny") ?? judged[0] ?? decisions[0];
}
