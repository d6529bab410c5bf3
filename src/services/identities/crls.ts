import { keepCrl, readCrl, type StoredCrl } from "../../db/crls.ts";
import { revokedAsOf, revokedCertificates } from "../../db/identity-revocations.ts";
import { readHead } from "../../db/log.ts";
import { VouchsafeError } from "../../errors.ts";
import type { Vouchsafe } from "../context.ts";
import type { SigningAuthority } from "./authority.ts";
import { BACKDATED } from "./issue-svid.ts";

// Times in milliseconds.

/** For how long a list counts: no longer than what it is about lives by default, so that an old one that is shown again hides little. */
const VALID_FOR = 10 * 60_000;
/** After how long it is signed anew although nothing was revoked. */
const RENEWED_AFTER = 3 * 60_000;
/** For how long the lists of authorities that sign no more are kept. */
const KEPT = 24 * 60 * 60_000;

/**
 * Signs the revocation list of each authority whose key this node has, when something was revoked since, or before the last one
 * ends, and keeps it where all nodes serve it from. Each names all that is revoked in the trust domain and has not expired,
 * whoever signed it: serial numbers are random, and what an authority signed is no secret of its own.
 */
export async function publishCrls(v: Vouchsafe): Promise<void> {
  const { kysely } = v.database;
  const revokedSize = await revokedAsOf(kysely);
  for (const authority of v.authority.signers()) {
    const kept = await readCrl(kysely, authority.issuer);
    const now = v.clock();
    const isFresh = kept !== undefined && kept.asOf >= revokedSize && now < kept.thisUpdate + RENEWED_AFTER;
    if (!isFresh) await keepCrl(kysely, await signCrl(v, authority, now), now - KEPT);
  }
}

async function signCrl(v: Vouchsafe, authority: SigningAuthority, now: number): Promise<StoredCrl> {
  const { kysely } = v.database;
  // Read first: what is read after it is at least as new.
  const { size: asOf } = await readHead(kysely);
  const found = await revokedCertificates(kysely, now);
  const [thisUpdate, nextUpdate] = [now - BACKDATED, now + VALID_FOR];
  const revoked = found.map(({ serial, revokedAt }) => ({ serial: Buffer.from(serial, "hex"), revokedAt }));
  const der = await authority.crl({ asOf, thisUpdate, nextUpdate, revoked });
  return { issuer: authority.issuer, asOf, thisUpdate, nextUpdate, der };
}

/** The newest revocation list of an issuing authority, DER. Throws `not-found`. */
export async function readRevocationList(v: Vouchsafe, issuer: string): Promise<Uint8Array> {
  const kept = await readCrl(v.database.kysely, issuer);
  if (kept !== undefined) return kept.der;
  // A node that has just started may be asked before it has kept its first.
  const authority = v.authority.signers().find((one) => one.issuer === issuer);
  if (authority !== undefined) return (await signCrl(v, authority, v.clock())).der;
  throw new VouchsafeError("not-found", `No authority with the key ${issuer} signs lists here`);
}
