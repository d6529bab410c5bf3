import { writeJwks, writeTrustBundle } from "../identity/trust-bundle.ts";
import type { Vouchsafe } from "./context.ts";

/** The trust domain's SPIFFE bundle, by which anybody validates its SVIDs. */
export function readTrustBundle({ authority }: Vouchsafe) {
  return writeTrustBundle(authority.bundle());
}

/** The keys of JWT-SVIDs alone, for libraries that know JWT and not SPIFFE. */
export function readJwks({ authority }: Vouchsafe) {
  return writeJwks(authority.bundle());
}
