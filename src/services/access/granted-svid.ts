import type { ProjectId } from "../../custody/events.ts";
import { findX509Identities, searchIdentities } from "../../db/identities.ts";
import { readEvents } from "../../db/log.ts";
import { VouchsafeError } from "../../errors.ts";
import type { SpiffeId } from "../../identity/spiffe-id.ts";
import type { X509Svid } from "../../identity/x509-validation.ts";
import { sha256 } from "../../in-toto-attestation/digest.ts";
import type { Vouchsafe } from "../context.ts";

type Database = Pick<Vouchsafe, "database">;

/**
 * Our authority's word is not enough: whoever is taken for an SVID that was made beside the log, with a stolen key or by
 * another authority below the same root, would be taken for it until the authority is retired, and no revocation reaches it.
 *
 * @throws VouchsafeError `unauthenticated` for one that the log has not granted in this project, or that was revoked
 */
export async function requireGranted(
  { database: { kysely } }: Database,
  project: ProjectId,
  { spiffeId, leaf }: Pick<X509Svid, "spiffeId" | "leaf">,
): Promise<void> {
  const [granted] = await findX509Identities(kysely, project, [leaf.serial]);
  const [event] = granted === undefined ? [] : await readEvents(kysely, project, [granted.index]);
  if (granted?.spiffeId !== spiffeId || event?.body.keyHash !== sha256(leaf.spki)) throw notGranted();
  if (granted.revokedIndex !== null) throw wasRevoked();
}

/** The same of a JWT-SVID, by its `jti`. */
export async function requireGrantedJwt(
  { database: { kysely } }: Database,
  project: ProjectId,
  { spiffeId, jti }: { readonly spiffeId: SpiffeId; readonly jti: string },
): Promise<void> {
  const granted = (await searchIdentities(kysely, project, { serial: jti, limit: 2 })).find(
    (one) => one.kind === "jwt",
  );
  if (granted?.spiffeId !== spiffeId) throw notGranted();
  if (granted.revokedIndex !== null) throw wasRevoked();
}

function notGranted(): VouchsafeError {
  return new VouchsafeError("unauthenticated", "The log has not granted this SVID");
}

function wasRevoked(): VouchsafeError {
  return new VouchsafeError("unauthenticated", "The SVID was revoked");
}
