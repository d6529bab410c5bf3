import { UsageError } from "../usage-error.ts";
import { readJwtClaims } from "./jwt-claims.ts";

/** For whom an OIDC token must be that is shown to the server. */
export function audienceOf(server: string, env: Readonly<Record<string, string | undefined>>): string {
  return env.VOUCHSAFE_AUDIENCE || server.replace(/\/+$/, "");
}

/** A token as it is sent, or a mistake: one that no header can carry, or that was given out for somebody else. */
export function checkedToken(text: string, from: string, audience: string): string {
  const token = text.trim();
  // What no HTTP header can carry would fail as a bug of ours; what no server takes is told here already.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new UsageError(`${from} holds characters that no token has, or nothing: was it copied whole?`);
  }
  const { audiences = [] } = readJwtClaims(token) ?? {};
  if (audiences.length > 0 && !audiences.includes(audience)) {
    throw new UsageError(
      `${from} holds a token for ${audiences.join(", ")} and not for ${audience}, so it is not sent there: ` +
        "ask for one with that audience, or name the server's in VOUCHSAFE_AUDIENCE",
    );
  }
  return token;
}
