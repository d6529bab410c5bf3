import type { ErrorCode } from "../errors.ts";

/** What the client itself can find wrong: no answer came, or one that no such server gives. */
export type ClientErrorCode = "unreachable" | "unexpected-answer";

/**
 * Why a call did not succeed. `code` is from the server's closed list (src/errors.ts) or one of the client's
 * own; `message` is the problem's detail and says what to do next.
 */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ErrorCode | ClientErrorCode;
  /** The HTTP status, or undefined when no answer came. */
  readonly status: number | undefined;
  /**
   * The whole problem (RFC 9457) with members of its own, e.g. `diagnostics`; where no answer came the `server` that was
   * asked and the `reason`, as a code of Node's; else empty.
   */
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode | ClientErrorCode,
    message: string,
    options: { status?: number; problem?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status;
    this.problem = options.problem ?? {};
  }
}
