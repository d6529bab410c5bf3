import { openTerminal, type Terminal } from "../../src/cli/output/terminal.ts";

export interface RecordedTerminal {
  readonly terminal: Terminal;
  readonly written: { stdout: string; stderr: string };
}

/** A terminal, or without `isTTY` two pipes, that keeps what is written. */
export function recordedTerminal(env: NodeJS.ProcessEnv = {}, isTTY = false): RecordedTerminal {
  const written = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr") => ({
    isTTY,
    write(chunk: string | Uint8Array) {
      written[name] += chunk;
      return true;
    },
    on() {},
  });
  return { written, terminal: openTerminal({ stdout: stream("stdout"), stderr: stream("stderr") }, env) };
}
