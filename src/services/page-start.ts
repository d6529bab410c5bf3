import { VouchsafeError } from "../errors.ts";

/** The log index at which the page before ended. @throws VouchsafeError `invalid-request` */
export function pageStart(after: string): number {
  if (!/^(0|[1-9][0-9]{0,14})$/.test(after))
    throw new VouchsafeError("invalid-request", "`after` must be the `next` of a page");
  return Number(after);
}
