import { VouchsafeError } from "../errors.ts";

const MAX_LINES = 1000;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * The lines of a JSON Lines upload, each exactly as it was sent; empty ones are left out.
 *
 * @throws VouchsafeError `too-many-items` over 1,000 lines, `invalid-request` for none
 */
export function splitJsonLines(body: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < body.length; ) {
    const newline = body.indexOf(NEWLINE, start);
    const next = newline === -1 ? body.length : newline;
    const end = next > start && body[next - 1] === CARRIAGE_RETURN ? next - 1 : next;
    if (end > start) lines.push(body.subarray(start, end));
    if (lines.length > MAX_LINES)
      throw new VouchsafeError("too-many-items", `Send at most ${MAX_LINES} lines at once`);
    start = next + 1;
  }
  if (lines.length === 0) throw new VouchsafeError("invalid-request", "The body holds no line");
  return lines;
}
