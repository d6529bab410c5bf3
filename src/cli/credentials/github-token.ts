import { setTimeout as sleep } from "node:timers/promises";
import { keptWhileGood, type TokenSource } from "../../client/token-source.ts";
import { UsageError } from "../usage-error.ts";
import { readJwtClaims } from "./jwt-claims.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Milliseconds that one try may take, and how often it is tried. */
const PATIENCE = 10_000;
const TRIES = 4;
const FIRST_WAIT = 250;
const LONGEST_TOKEN = 16_384;

/** Whether this is a job of GitHub Actions that may ask for an OIDC token. */
export function hasGitHubToken(env: Environment): boolean {
  return Boolean(env.ACTIONS_ID_TOKEN_REQUEST_URL && env.ACTIONS_ID_TOKEN_REQUEST_TOKEN);
}

/**
 * The OIDC tokens of a job of GitHub Actions for one audience (docs.github.com, "OpenID Connect reference"). They live for
 * some minutes, so another is asked for when one ends.
 *
 * @param onToken told of each before anything else has it, so that it can be masked in logs
 */
export function gitHubTokens(
  env: Environment,
  audience: string,
  onToken: (token: string) => void = () => {},
): TokenSource {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url = "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer = "" } = env;
  const ask = async () => {
    const token = await requestToken(url, bearer, audience);
    onToken(token);
    return token;
  };
  return keptWhileGood(ask, (token) => readJwtClaims(token)?.expiresAt, Date.now);
}

async function requestToken(requestUrl: string, bearer: string, audience: string): Promise<string> {
  const url = URL.parse(requestUrl);
  if (url === null) throw new UsageError("ACTIONS_ID_TOKEN_REQUEST_URL is no URL");
  url.searchParams.set("audience", audience);
  let trouble = "";
  for (let tried = 0; tried < TRIES; tried += 1) {
    if (tried > 0) await sleep(FIRST_WAIT * 2 ** tried);
    try {
      const response = await fetch(url, {
        headers: { authorization: `Bearer ${bearer}`, accept: "application/json" },
        redirect: "error",
        signal: AbortSignal.timeout(PATIENCE),
      });
      const answer = await response.text();
      if (response.ok) return tokenIn(answer);
      trouble = `it answered ${response.status}`;
      if (response.status < 500 && response.status !== 429) break;
    } catch (error) {
      if (error instanceof UsageError) throw error;
      trouble = "it cannot be reached";
    }
  }
  throw new UsageError(`GitHub gave no OIDC token for the audience ${audience}: ${trouble}`);
}

function tokenIn(answer: string): string {
  let value: unknown;
  try {
    value = JSON.parse(answer)?.value;
  } catch {
    value = undefined;
  }
  if (typeof value !== "string" || value.length > LONGEST_TOKEN || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(value)) {
    throw new UsageError("GitHub answered with something that is no OIDC token");
  }
  return value;
}
