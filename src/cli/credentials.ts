import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readAnew, type TokenSource } from "../client/token-source.ts";
import { audienceOf, checkedToken } from "./credentials/checked-token.ts";
import { gitHubTokens, hasGitHubToken } from "./credentials/github-token.ts";
import { svidTokens } from "./credentials/svid-token.ts";
import { UsageError } from "./usage-error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What to show to a server: VOUCHSAFE_TOKEN, or what is in VOUCHSAFE_TOKEN_FILE whenever it is needed, or, for a server on
 * this machine, the operator token that its first start wrote into the data directory (that one is never sent anywhere else);
 * or else the OIDC token of the CI job: VOUCHSAFE_ID_TOKEN, or one that GitHub Actions gives for the server; or else a
 * JWT-SVID of the SPIFFE Workload API. Tokens that name their audiences are shown to no other: VOUCHSAFE_AUDIENCE, or the server's URL.
 */
export function findToken(server: string, env: Environment): string | TokenSource | undefined {
  const audience = audienceOf(server, env);
  if (env.VOUCHSAFE_TOKEN) return checkedToken(env.VOUCHSAFE_TOKEN, "VOUCHSAFE_TOKEN", audience);
  if (env.VOUCHSAFE_TOKEN_FILE) {
    const file = env.VOUCHSAFE_TOKEN_FILE;
    const read = () => checkedToken(readToken(file), `VOUCHSAFE_TOKEN_FILE, ${file},`, audience);
    // What is wrong with it now is told before anything is done.
    read();
    return readAnew(read);
  }
  const operators = isThisMachine(server) ? operatorToken(env) : undefined;
  if (operators !== undefined) return checkedToken(operators, "The operator token", audience);
  if (env.VOUCHSAFE_ID_TOKEN) return checkedToken(env.VOUCHSAFE_ID_TOKEN, "VOUCHSAFE_ID_TOKEN", audience);
  if (hasGitHubToken(env)) return gitHubTokens(env, audience);
  return env.SPIFFE_ENDPOINT_SOCKET ? svidTokens(env.SPIFFE_ENDPOINT_SOCKET, audience) : undefined;
}

function readToken(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new UsageError(`VOUCHSAFE_TOKEN_FILE names ${file}, which cannot be read`, { cause });
  }
}

function operatorToken(env: Environment): string | undefined {
  try {
    return readFileSync(join(env.VOUCHSAFE_DATA_DIR || ".vouchsafe", "operator-token"), "utf8");
  } catch {
    return undefined;
  }
}

/** Whether a URL leads to this machine, whatever the network. */
export function isThisMachine(server: string): boolean {
  const host = URL.parse(server)?.hostname ?? "";
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
