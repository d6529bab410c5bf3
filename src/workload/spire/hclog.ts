export type Level = "debug" | "info" | "warn" | "error";
export type Log = (level: Level, message: string, facts?: Readonly<Record<string, unknown>>) => void;

/**
 * One line of JSON for each entry, as hashicorp/go-hclog writes it: a host of go-plugin reads these from stderr and
 * takes them over with their level.
 */
export function createHclog(write: (line: string) => void, clock: () => number = Date.now): Log {
  return (level, message, facts = {}) => {
    const entry = {
      ...facts,
      "@level": level,
      "@message": message,
      // Six digits of the second, or the host throws the entry's form away.
      "@timestamp": new Date(clock()).toISOString().replace("Z", "000Z"),
    };
    write(`${JSON.stringify(entry)}\n`);
  };
}
