import type { Decision } from "../client/types.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { NamedImage } from "./images.ts";
import type { AdmissionAnswer } from "./review.ts";

/** What is done when no decision can be had: the cluster stands still, or it runs what nobody vouched for. */
export type FailMode = "closed" | "open";

/** Longer ones the API server cuts, and all of them beyond 4,096 characters. */
const MAX_WARNING = 256;
const MAX_WARNINGS = 16;
const MAX_MESSAGE = 4096;

/** The answer that decisions make. `undefined` where they are none: a node that lost sight of the log denies everything. */
export function answerOf(
  images: ReadonlyMap<Digest, NamedImage>,
  decisions: readonly Decision[],
): AdmissionAnswer | undefined {
  if (decisions.length !== images.size) return undefined;
  if (decisions.some(({ reasons }) => reasons.some(({ code }) => code === "stale"))) return undefined;
  const denied: string[] = [];
  const warnings: string[] = [];
  for (const [digest, image] of images) {
    // By its digest and not by its place: an answer in another order denies.
    const decision = decisions.find((one) => one.digest === digest);
    if (decision?.decision !== "allow") denied.push(deniedText(digest, image, decision));
    else if (!decision.enforced) {
      const why = decision.reasons.map(({ message }) => message).join(" ");
      warnings.push(`vouchsafe: ${image.image} (${image.by}) is let in by policies in audit mode: ${why}`);
    }
  }
  const allowed = denied.length === 0;
  const sizes = decisions.map(({ asOf }) => asOf);
  return {
    allowed,
    ...(allowed ? {} : { message: cut(denied.join(" "), MAX_MESSAGE) }),
    warnings: bounded(warnings),
    auditAnnotations: {
      decision: allowed ? "allow" : "deny",
      // All decisions know of at least so much.
      "log-size": `${Math.min(...sizes)}`,
      policies: [...new Set(decisions.flatMap(({ policies }) => policies.map(({ policy }) => policy)))]
        .sort()
        .join(","),
    },
  };
}

/** The answer where none could be had, and why. */
export function answerWithout(fail: FailMode, why: string): AdmissionAnswer {
  if (fail === "closed") {
    return {
      allowed: false,
      message: `Vouchsafe cannot say whether this may run, so it may not: ${why}`,
      auditAnnotations: { decision: "none", "fail-closed": cut(why, MAX_WARNING) },
    };
  }
  return {
    allowed: true,
    warnings: bounded([`vouchsafe cannot say whether this may run, and lets it in: ${why}`]),
    auditAnnotations: { decision: "none", "fail-open": cut(why, MAX_WARNING) },
  };
}

function deniedText(digest: Digest, { by, image }: NamedImage, decision: Decision | undefined): string {
  const reasons = decision?.reasons.map(({ policy, message }) =>
    policy ? `${policy}: ${message}` : message,
  );
  const why = reasons?.join("; ") ?? "the server did not answer about it";
  return `The ${by} (${image}) is denied: ${why}. See \`vouchsafe verify-digest ${digest}\`.`;
}

function bounded(warnings: readonly string[]): readonly string[] {
  return warnings.slice(0, MAX_WARNINGS).map((warning) => cut(warning, MAX_WARNING));
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
