/**
 * What a running server tells its operator: a line of JSON each, on standard output, in one shape (docs/monitoring.md).
 * Nothing secret gets in by carelessness: of an error only its name, code, message and stack are written, and of other
 * fields only plain values, so no request, answer or key that somebody hands over is ever spelt out.
 */

/** From the gravest on. */
export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** `fields` may be left out, as Fastify has it of its logger. */
type Tell = (fields: unknown, message?: string) => void;

export interface Log extends Readonly<Record<LogLevel, Tell>> {
  level: LogLevel | "silent";
  silent(): void;
  child(fields: object): Log;
}

export interface LogOptions {
  readonly level: LogLevel | "silent";
  /** Takes a line with its end. */
  readonly write?: (line: string) => void;
  /** Fields of whatever is under way, e.g. a trace's id. */
  readonly context?: () => object | undefined;
}

const MAX_CAUSES = 5;
const MAX_DEPTH = 6;

export function createLog(options: LogOptions, fields: object = {}): Log {
  const { write = (line) => void process.stdout.write(line), context } = options;
  const log: Log = {
    level: options.level,
    silent() {},
    child: (more) => createLog({ ...options, level: log.level }, { ...fields, ...more }),
    fatal: tell("fatal"),
    error: tell("error"),
    warn: tell("warn"),
    info: tell("info"),
    debug: tell("debug"),
    trace: tell("trace"),
  };

  function tell(level: LogLevel): Tell {
    return (first, second) => {
      if (log.level === "silent" || LOG_LEVELS.indexOf(level) > LOG_LEVELS.indexOf(log.level)) return;
      const [given, message] = typeof first === "string" ? [{}, first] : [first, second];
      write(logLine(level, message ?? "", { ...fields, ...context?.(), ...fieldsOf(given) }));
    };
  }

  return log;
}

/** One line, with its end. */
export function logLine(level: LogLevel, message: string, fields: object): string {
  const time = new Date().toISOString();
  return `${JSON.stringify({ time, level, msg: message, ...writable(fields, 0) })}\n`;
}

function fieldsOf(given: unknown): object {
  if (given instanceof Error) return { err: given };
  return typeof given === "object" && given !== null ? given : {};
}

function writable(fields: object, depth: number): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, writableValue(value, depth)]),
  );
}

/** Undefined, which JSON leaves out, for what is no plain value. */
function writableValue(value: unknown, depth: number): unknown {
  if (value instanceof Error) return writableError(value, 0);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) return undefined;
  if (Array.isArray(value)) return value.map((one) => writableValue(one, depth + 1));
  const isPlain = [Object.prototype, null].includes(Object.getPrototypeOf(value));
  return isPlain ? writable(value, depth + 1) : undefined;
}

function writableError(error: Error, depth: number): object {
  const code = "code" in error ? writableValue(error.code, MAX_DEPTH) : undefined;
  const { cause } = error;
  return {
    type: error.name,
    ...(code !== undefined && { code }),
    message: error.message,
    stack: error.stack,
    ...(cause instanceof Error && depth < MAX_CAUSES && { cause: writableError(cause, depth + 1) }),
  };
}
