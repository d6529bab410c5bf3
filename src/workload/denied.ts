import { VouchsafeError } from "../errors.ts";

/**
 * Why a process gets nothing: `code` is for programs, and is the agent's own where no server was asked, or one
 * of a decision's.
 */
export interface DenialReason {
  readonly code: string;
}

/** The agent's own refusal, in the shape of a server's. */
export function denied(code: string, message: string, cause?: unknown): VouchsafeError {
  const reasons: readonly DenialReason[] = [{ code }];
  return new VouchsafeError("identity-denied", message, { cause, extensions: { reasons } });
}
