import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "./usage-error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The token to show: VOUCHSAFE_TOKEN, or what is in VOUCHSAFE_TOKEN_FILE, or, for a server on this machine, the
 * operator token that its first start wrote into the data directory. That one is never sent anywhere else.
 */
export function findToken(server: string, env: Environment): string | undefined {
  const token = lookUp(server, env);
  // What no HTTP header can carry would fail as a bug of ours; what no server takes is told here already.
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new UsageError("The token holds characters that no token has, or nothing: was it copied whole?");
  }
  return token;
}

function lookUp(server: string, env: Environment): string | undefined {
  if (env.VOUCHSAFE_TOKEN) return env.VOUCHSAFE_TOKEN.trim();
  if (env.VOUCHSAFE_TOKEN_FILE) {
    const token = readToken(env.VOUCHSAFE_TOKEN_FILE);
    if (token === undefined) {
      throw new UsageError(`VOUCHSAFE_TOKEN_FILE names ${env.VOUCHSAFE_TOKEN_FILE}, which cannot be read`);
    }
    return token;
  }
  if (!isThisMachine(server)) return undefined;
  return readToken(join(env.VOUCHSAFE_DATA_DIR || ".vouchsafe", "operator-token"));
}

function readToken(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}

function isThisMachine(server: string): boolean {
  const host = URL.parse(server)?.hostname ?? "";
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
