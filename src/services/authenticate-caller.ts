import { authenticateJwt } from "./authenticate-jwt.ts";
import type { Authenticated } from "./authenticator.ts";
import type { Vouchsafe } from "./context.ts";
import { authenticate } from "./tokens.ts";

/** Three parts, as a JWT has (RFC 7515 §3.1). No token of ours has a dot. */
const JWT = /^[^.]+\.[^.]+\.[^.]+$/;

/**
 * Who makes a request, by the one credential that it shows: a token of ours, or a JWT.
 *
 * @param named the project that the request names
 * @throws VouchsafeError what `authenticate` and `authenticateJwt` throw
 */
export function authenticateCaller(
  v: Vouchsafe,
  credential: string,
  named: string | undefined,
): Promise<Authenticated> {
  return JWT.test(credential) ? authenticateJwt(v, credential, named) : authenticate(v, credential, named);
}
