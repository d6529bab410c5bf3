/** A mistake in how a command was called; the message says what to do instead. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
