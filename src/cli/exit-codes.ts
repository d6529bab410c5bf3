/** What a command's exit status says. Documented in `vouchsafe --help`. */
export const EXIT = {
  /** Done; allowed; it holds. */
  ok: 0,
  /** Refused, denied, or it does not hold. */
  refused: 1,
  /** The command line, a file named on it or the configuration is wrong, as we or the server found: nothing was judged. */
  usage: 2,
  /** The server could not be reached, or it or this machine failed: nothing is known. */
  failed: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
