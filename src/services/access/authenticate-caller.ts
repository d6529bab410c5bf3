import type { Vouchsafe } from "../context.ts";
import { authenticateJwt } from "./authenticate-jwt.ts";
import { authenticateSvid } from "./authenticate-svid.ts";
import type { Authenticated } from "./authenticator.ts";
import { authenticate } from "./tokens.ts";

/** Three parts, as a JWT has (RFC 7515 §3.1). No token of ours has a dot. */
const JWT = /^[^.]+\.[^.]+\.[^.]+$/;

/** No bearer token has a colon. */
const CERTIFICATE = "x509-svid:";

/** The certificates that a client showed by TLS, DER, its own first, as the credential that they are. */
export function certificateCredential(chain: readonly Uint8Array[]): string {
  return CERTIFICATE + chain.map((der) => Buffer.from(der).toString("base64url")).join(".");
}

/**
 * Who makes a request, by the one credential that it shows: a token of ours, a JWT, or a client's certificate.
 *
 * @param named the project that the request names
 * @throws VouchsafeError what `authenticate`, `authenticateJwt` and `authenticateSvid` throw; `project-suspended`
 */
export async function authenticateCaller(
  v: Vouchsafe,
  credential: string,
  named: string | undefined,
): Promise<Authenticated> {
  const found = await find(v, credential, named);
  await v.suspended.refuseNow(found.caller.project);
  return found;
}

async function find(v: Vouchsafe, credential: string, named: string | undefined): Promise<Authenticated> {
  if (credential.startsWith(CERTIFICATE)) {
    const parts = credential.slice(CERTIFICATE.length).split(".");
    return authenticateSvid(
      v,
      parts.map((der) => Buffer.from(der, "base64url")),
      named,
    );
  }
  return JWT.test(credential) ? authenticateJwt(v, credential, named) : authenticate(v, credential, named);
}
