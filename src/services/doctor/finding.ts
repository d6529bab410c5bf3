import { VouchsafeError } from "../../errors.ts";

export type Level = "ok" | "warning" | "bad";

/** One thing that was looked at. Nothing in it is secret. */
export interface Finding {
  /** Stable name of what was looked at, e.g. `data-directory`. */
  readonly check: string;
  /** `bad`: something does not work, or is not as safe as it is promised. `warning`: it will be so, or may be meant. */
  readonly level: Level;
  /** A sentence. */
  readonly what: string;
  /** What to do about it. */
  readonly advice?: string;
}

export function ok(check: string, what: string): Finding {
  return { check, level: "ok", what };
}

export function warning(check: string, what: string, advice?: string): Finding {
  return { check, level: "warning", what, ...(advice !== undefined && { advice }) };
}

export function bad(check: string, what: string, advice?: string): Finding {
  return { check, level: "bad", what, ...(advice !== undefined && { advice }) };
}

/** What a look finds; that it could not be had is a finding too. */
export async function looking(
  check: string,
  look: () => Promise<readonly Finding[]> | readonly Finding[],
): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof VouchsafeError) return [bad(check, error.message)];
    return [bad(check, `it could not be looked at: ${error instanceof Error ? error.message : error}`)];
  }
}
