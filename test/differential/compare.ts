import type { JsonObject } from "../../src/in-toto-attestation/types.ts";
import { libraryOpinion, type Opinion } from "../../src/verify/second-opinion.ts";
import { explain } from "./explanations.ts";
import { apply, type Mutation, otherOf } from "./mutation.ts";
import type { Original } from "./originals.ts";
import { type Answer, timesOf, verdictOf } from "./verdict.ts";

/** How the two verifiers' answers stand to each other; a disagreement with the rule that explains it. */
export type Comparison =
  | { readonly case: "both accept" | "both refuse" }
  | { readonly case: "differ"; readonly rule: string };

/** What a mutated bundle was found to break. Fails the run. */
export class Finding extends Error {
  override readonly name = "Finding";
}

/**
 * Verifies a mutated bundle by ours and by the library. Throws `Finding` where we accept what the original does not
 * say, or where the two differ in a way that no rule explains; and whatever but our own error our verifier throws.
 */
export function compare(mutation: Mutation, originals: readonly Original[]): Comparison {
  const original = originals[mutation.original];
  if (original === undefined) throw new TypeError("there is no such original");
  const bytes = apply(mutation, originals);
  const ours = verdictOf(bytes, original.trust);
  if (ours.case === "accepted") requireSaid(ours, [original, otherOf(mutation, originals) ?? original]);
  const theirs = libraryAnswer(bytes, original, ours);
  const accepts = theirs.case === "accepts";
  if (accepts === (ours.case === "accepted")) return { case: accepts ? "both accept" : "both refuse" };
  const rule = explain({ bytes, ours, theirs, original });
  if (rule !== undefined) return { case: "differ", rule };
  throw new Finding(
    `an unexplained disagreement\n  ours: ${said(ours)}\n  library: ${JSON.stringify(theirs)}`,
  );
}

/** It says what one of these says, and at no time that that one has not. */
function requireSaid(ours: Answer & { case: "accepted" }, known: readonly Original[]): void {
  const same = known
    .map(({ answer }) => answer)
    .find((one) => one.case === "accepted" && one.said === ours.said);
  if (same?.case !== "accepted") throw new Finding(`accepted, and nobody signed it: ${ours.said}`);
  const times = new Set(timesOf(same.signature));
  const gained = timesOf(ours.signature).filter((time) => !times.has(time));
  if (gained.length > 0)
    throw new Finding(`accepted with a time that nobody vouched for: ${gained.join(", ")}`);
}

function libraryAnswer(bytes: Buffer, { trust }: Original, ours: Answer): Opinion {
  let json: JsonObject;
  try {
    json = JSON.parse(bytes.toString());
  } catch {
    return { case: "refuses", reason: "not JSON" };
  }
  if (typeof json !== "object" || json === null) return { case: "refuses", reason: "no object" };
  return libraryOpinion(json, trust, ours.case === "accepted" ? ours.signature.signer : undefined);
}

function said(ours: Answer): string {
  return ours.case === "accepted" ? "accepts" : `${ours.code}: ${ours.message}`;
}
