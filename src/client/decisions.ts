import { isJsonObject, type JsonValue } from "../in-toto-attestation/index.ts";
import { ApiError } from "./api-error.ts";
import { json } from "./calls.ts";
import { search } from "./paths.ts";
import type { Transport } from "./transport.ts";
import type { Decision } from "./types.ts";

export interface Question {
  /** Where the token lets its holder choose; otherwise the token's own policies decide. */
  readonly policy?: string;
  /** The answer must hold as of at least this log size, e.g. that of a receipt. */
  readonly minSize?: number;
}

export type Summary =
  | { readonly case: "summary"; readonly envelope: Uint8Array }
  | { readonly case: "denied"; readonly decision: Decision };

/** Calls as JSON, as a client makes them. */
interface Calls {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, value: object, how: { repeatable: boolean }): Promise<T>;
}

const ENVELOPE_TYPE = "application/vnd.dsse.envelope.v1+json";

/** The methods of a client for questions whether artifacts may run. Each throws `unexpected-answer` for what is no decision. */
export function decisionCalls({ get, post }: Calls, transport: Transport) {
  return {
    /** May this digest run? A denial is an answer. */
    verifyDigest: async (digest: string, question: Question = {}) =>
      requireDecision(await get<JsonValue>(`/verify-digest${search({ digest, ...question })}`), digest),
    /** The same as a signed verification summary (a DSSE envelope); a denial comes as the decision that it is. */
    async verificationSummary(digest: string, question: Question = {}): Promise<Summary> {
      const path = `/verify-digest${search({ digest, ...question })}`;
      const answer = await transport({ method: "GET", path, accept: ENVELOPE_TYPE, repeatable: true });
      const isEnvelope = answer.mediaType.startsWith(ENVELOPE_TYPE);
      if (isEnvelope) return { case: "summary", envelope: answer.bytes };
      return { case: "denied", decision: requireDecision(json<JsonValue>(answer), digest) };
    },
    /** As `verifyDigest` for up to 256 digests, answered in their order. */
    async verifyDigests(digests: readonly string[], question: Question = {}): Promise<readonly Decision[]> {
      const asked = { digests, ...question };
      const answer = await post<JsonValue>("/verify-digest", asked, { repeatable: true });
      const decisions = isJsonObject(answer) && Array.isArray(answer.decisions) ? answer.decisions : [];
      return digests.map((digest, i) => requireDecision(decisions[i], digest));
    },
  };
}

/** Gates rest on it: whatever stands in a server's place must not allow what no server decided. */
function requireDecision(answer: JsonValue | undefined, digest: string): Decision {
  if (answer !== undefined && isDecision(answer) && answer.digest === digest) return answer;
  throw new ApiError(
    "unexpected-answer",
    `The server answered with no decision about ${digest}: is this a Vouchsafe server?`,
  );
}

function isDecision(answer: unknown): answer is Decision {
  const { decision, enforced, reasons, policies, slsaLevel, asOf, validUntil } = (answer ??
    {}) as Partial<Decision>;
  return (
    (decision === "allow" || decision === "deny") &&
    typeof enforced === "boolean" &&
    isListOf(reasons, ({ code, message }) => typeof code === "string" && typeof message === "string") &&
    isListOf(
      policies,
      ({ policy, outcome, attestations }) =>
        typeof policy === "string" && typeof outcome === "string" && Array.isArray(attestations),
    ) &&
    typeof slsaLevel === "number" &&
    typeof asOf === "number" &&
    (validUntil === null || typeof validUntil === "string")
  );
}

function isListOf<T>(value: readonly T[] | undefined, holds: (item: Partial<T>) => boolean): boolean {
  return Array.isArray(value) && value.every((item) => holds(item ?? {}));
}
