import type { Fixed } from "./column-types.ts";

/** Who was ever granted something, one row for all its grants by one workload policy or issuer for one requester. */
export interface InventoryTable {
  project_id: Fixed<string>;
  /** sha256 in hex of the four that follow, joined by line feeds. */
  id: Fixed<string>;
  /** A SPIFFE ID, or whom an outside issuer says that it granted to. */
  subject: Fixed<string>;
  /** Empty where an outside issuer granted. */
  workload: Fixed<string>;
  /** Of an outside issuer what it calls itself; empty where the SVID is ours. */
  issuer: Fixed<string>;
  /** As in `identities`; of an outside issuer the id of its token. */
  requester: Fixed<string>;
  first_granted: Fixed<number>;
  last_granted: number;
  last_renewed: number | null;
  /** When the first X.509-SVID ends. */
  first_end: number | null;
  grants: number;
  /** When the newest ends; null where an outside issuer named no end. */
  expires_at: number | null;
  /** The newest SVID's; null where an outside issuer granted. */
  kind: "x509" | "jwt" | null;
  serial: string | null;
  digests: string[];
  /** When an outside issuer last took back, or refused, what it had granted before. */
  withdrawn_at: number | null;
  first_index: Fixed<number>;
  last_index: number;
}
