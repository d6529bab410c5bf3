import { ApiError } from "../client/api-error.ts";
import { mistakesOf } from "../config/mistakes.ts";
import { VouchsafeError } from "../errors.ts";
import { AttestationFormatError } from "../in-toto-attestation/errors.ts";
import { isThisMachine } from "./credentials.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Terminal } from "./output/terminal.ts";
import { UsageError } from "./usage-error.ts";

/** What to do next, for codes of which the message alone does not say it. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ["unreachable", "Name another with --server or VOUCHSAFE_SERVER."],
  [
    "unauthenticated",
    "Put a token into VOUCHSAFE_TOKEN, or its file's path into VOUCHSAFE_TOKEN_FILE. `vouchsafe token create` makes one.",
  ],
  ["forbidden", "Ask an operator for a token with a role that may: `vouchsafe token create --role ROLE`."],
  ["policy-not-allowed", "Leave --policy out, or use a token made with --may-choose-policy."],
  ["conflict", "Somebody changed it meanwhile: look at what is active now, and run the command again."],
  ["unavailable", "Nothing was changed. Try again in a moment."],
]);

/** The member of the problem without which another cause has this code, which the advice does not mend. */
const ONLY_WITH: ReadonlyMap<string, string> = new Map([
  // A compare-and-swap that came late, which says what is active, is mended by running it again; other conflicts are not.
  ["conflict", "active"],
  ["forbidden", "roles"],
]);

/** For who runs a server of their own, which is not up. */
const START = "Start one with `npm start`, or name another with --server or VOUCHSAFE_SERVER.";

/** Says nothing of what was asked: somebody could not be asked. */
const PASSING: ReadonlySet<string> = new Set(["unavailable", "outbound-failed"]);

/** Tells what went wrong on stderr and which exit status says so. */
export function reportError(error: unknown, terminal: Terminal, json: boolean): ExitCode {
  const { code, detail, exit, more } = describe(error);
  if (json) terminal.note(JSON.stringify({ error: { ...more, code, detail } }));
  else {
    const mistakes = mistakesOf(more ?? {});
    terminal.note(`error: ${mistakes.length > 1 ? "the configuration does not hold" : detail}`, "bad");
    if (mistakes.length > 1) for (const mistake of mistakes) terminal.note(`  ${mistake}`);
    const advice = adviceFor(code, more ?? {});
    if (advice !== undefined) terminal.note(`  ${advice}`);
    if (code !== "usage") terminal.note(`  code: ${code}`);
    // Who reports a bug of ours needs to say where it is.
    if (code === "unforeseen" && error instanceof Error)
      for (const place of error.stack?.split("\n").filter((line) => /^ +at /.test(line)) ?? [])
        terminal.note(place);
  }
  return exit;
}

function adviceFor(code: string, more: Readonly<Record<string, unknown>>): string | undefined {
  const condition = ONLY_WITH.get(code);
  if (condition !== undefined && more[condition] === undefined) return undefined;
  const { server, reason } = more;
  if (code === "unreachable" && reason === "ECONNREFUSED" && isThisMachine(String(server))) return START;
  return ADVICE.get(code);
}

function describe(error: unknown): {
  readonly code: string;
  readonly detail: string;
  readonly exit: ExitCode;
  readonly more?: Readonly<Record<string, unknown>>;
} {
  if (error instanceof ApiError) {
    return { code: error.code, detail: error.message, exit: exitOf(error), more: error.problem };
  }
  if (error instanceof UsageError) return { code: "usage", detail: error.message, exit: EXIT.usage };
  if (error instanceof VouchsafeError) {
    const isSetUp = error.code === "configuration-invalid";
    const exit = isSetUp ? EXIT.usage : PASSING.has(error.code) ? EXIT.failed : EXIT.refused;
    return { code: error.code, detail: error.message, exit, more: error.extensions };
  }
  if (error instanceof AttestationFormatError) {
    return { code: error.code, detail: error.message, exit: EXIT.refused };
  }
  // The machine, such as a disk that is full, or a bug of ours: neither is an answer to what was asked.
  const detail = error instanceof Error ? error.message : String(error);
  const isSystem = error instanceof Error && "syscall" in error;
  return { code: isSystem ? "system" : "unforeseen", detail, exit: EXIT.failed };
}

/**
 * A refusal says something of what was asked, and nothing where the server could not make out what that was: a mistake
 * in the call. A failure of the server or of the way to it says nothing, nor does an answer of whatever is in its place.
 */
function exitOf({ code, status }: ApiError): ExitCode {
  if (status === undefined || status === 429 || status >= 500 || code === "unexpected-answer")
    return EXIT.failed;
  return status === 400 ? EXIT.usage : EXIT.refused;
}
