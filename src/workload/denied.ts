import { hasCode, VouchsafeError } from "../errors.ts";

/**
 * Why a process gets nothing: `code` is for programs, and is the agent's own where no server was asked, or one
 * of a decision's.
 */
export interface DenialReason {
  readonly code: string;
}

/** Whether the answer is no, by a server or by the agent: anything else is that there is none now. */
export function isDenial(error: unknown): error is VouchsafeError {
  return hasCode(error, "identity-denied");
}

/** The first reason's code of a denial; undefined of anything else. */
export function codeOf(error: unknown): string | undefined {
  if (!isDenial(error)) return undefined;
  const { reasons } = error.extensions;
  const first: unknown = Array.isArray(reasons) ? reasons[0]?.code : undefined;
  return typeof first === "string" ? first : undefined;
}

/** The agent's own refusal, in the shape of a server's. */
export function denied(code: string, message: string, cause?: unknown): VouchsafeError {
  const reasons: readonly DenialReason[] = [{ code }];
  return new VouchsafeError("identity-denied", message, { cause, extensions: { reasons } });
}
