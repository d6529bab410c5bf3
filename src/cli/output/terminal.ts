import type { WriteStream } from "node:tty";

export type Mark = "good" | "bad" | "plain";

/** Where a command writes: results to stdout, everything else to stderr. */
export interface Terminal {
  /** Whether somebody looks on at the result, who sees more than ASCII. */
  readonly showsSymbols: boolean;
  /** A line of the result. The mark colours its first word (past a tree's lines), on a terminal. */
  print(line: string, mark?: Mark): void;
  /** A line about what went wrong or what to do next. */
  note(line: string, mark?: Mark): void;
  /** One JSON value as the result, for machines. */
  printJson(value: unknown): void;
  /** Shows how far a long command is, on one line that is overwritten; only on a terminal. */
  progress(line: string): void;
  /** Bytes as they are, e.g. a file. Fails where the reader has left. */
  write(bytes: Uint8Array): Promise<void>;
  /** Aborted when the reader of the result has left, for what would go on until it is interrupted. */
  readonly readerLeft: AbortSignal;
}

const COLOUR: Readonly<Record<Mark, string>> = { good: "\u001b[32m", bad: "\u001b[31m", plain: "" };
const RESET = "\u001b[0m";
const CLEAR_LINE = "\r\u001b[K";

type Stream = Pick<WriteStream, "write"> & {
  readonly isTTY?: boolean;
  on(event: "error", listener: (error: NodeJS.ErrnoException) => void): unknown;
};

export function openTerminal(streams: { stdout: Stream; stderr: Stream }, env: NodeJS.ProcessEnv): Terminal {
  const { stdout, stderr } = streams;
  const colours = coloursOf(env);
  const isUtf8 = /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || "");
  const leaving = new AbortController();
  let progressShown = false;

  stdout.on("error", (error) => {
    // The reader of a pipe may leave early, as `head` does. What was asked has its status all the same.
    if (error.code !== "EPIPE") throw error;
    leaving.abort();
  });
  // There is nowhere to say that nothing can be said.
  stderr.on("error", () => {});

  function clearProgress() {
    if (progressShown) stderr.write(CLEAR_LINE);
    progressShown = false;
  }
  function writeLine(stream: Stream, line: string, mark: Mark) {
    clearProgress();
    stream.write(`${coloured(visible(line), mark, colours ?? stream.isTTY === true)}\n`);
  }

  return {
    showsSymbols: stdout.isTTY === true && env.TERM !== "dumb" && isUtf8,
    print: (line, mark = "plain") => writeLine(stdout, line, mark),
    note: (line, mark = "plain") => writeLine(stderr, line, mark),
    printJson(value) {
      clearProgress();
      stdout.write(`${JSON.stringify(value)}\n`);
    },
    progress(line) {
      if (stderr.isTTY !== true) return;
      stderr.write(`${CLEAR_LINE}${visible(line)}`);
      progressShown = true;
    },
    write: (bytes) =>
      new Promise((resolve, reject) => {
        stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    readerLeft: leaving.signal,
  };
}

/** Whether to colour; undefined: where somebody looks on. */
function coloursOf(env: NodeJS.ProcessEnv): boolean | undefined {
  // https://no-color.org: any value that is not empty, whatever else asks for colours. https://bixense.com/clicolors.
  if (env.NO_COLOR || env.FORCE_COLOR === "0" || env.FORCE_COLOR === "false") return false;
  if (env.FORCE_COLOR || (env.CLICOLOR_FORCE && env.CLICOLOR_FORCE !== "0")) return true;
  return env.CLICOLOR === "0" || env.TERM === "dumb" ? false : undefined;
}

function coloured(line: string, mark: Mark, isOn: boolean): string {
  if (!isOn || mark === "plain") return line;
  return line.replace(
    /^([\s│├└─|`-]*)(\S+)/,
    (_, guides, first) => `${guides}${COLOUR[mark]}${first}${RESET}`,
  );
}

/** Names and messages come from evidence that anybody may push: they must not steer the reader's terminal. */
export function visible(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return line.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
