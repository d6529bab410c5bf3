/** What the API server waits for a webhook whose registration says nothing, in milliseconds. */
const DEFAULT = 10_000;
/** It waits no longer than this. */
const LONGEST = 30_000;
/** Left of the time for the way and for writing: a tenth, and at least this. */
const MARGIN = 250;
const DURATION =
  /^(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})(?:\.[0-9]{1,9})?s)?(?:([0-9]{1,6})ms)?$/;

/**
 * How long an answer may take, in milliseconds, by the `timeout` that the API server adds to the webhook's URL: a Go duration such as `10s`.
 * One that cannot be read is taken for a short one.
 */
export function budgetOf(timeout: string | null): number {
  const given = timeout === null ? DEFAULT : Math.min(LONGEST, readDuration(timeout) ?? 1_000);
  return Math.max(50, given - Math.max(MARGIN, given / 10));
}

function readDuration(text: string): number | undefined {
  const [whole, hours = "0", minutes = "0", seconds = "0", milliseconds = "0"] = DURATION.exec(text) ?? [];
  if (whole === undefined || whole === "") return undefined;
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 + Number(milliseconds);
}
