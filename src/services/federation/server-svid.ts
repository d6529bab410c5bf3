import { generateKeyPairSync } from "node:crypto";
import { serverId } from "../../identity/agent-id.ts";
import { writePem } from "../../x509/pem.ts";
import type { Vouchsafe } from "../context.ts";
import { BACKDATED, newSerial } from "../identities/issue-svid.ts";

/** What the node shows of itself by TLS: an X.509-SVID of `spiffe://TRUST-DOMAIN/vouchsafe/server`. */
export interface ServerSvid {
  /** PEM, the SVID first. */
  readonly cert: string;
  /** PKCS #8 PEM. It is in this node's memory and nowhere else. */
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Which authority signed it. */
  readonly authority: string;
}

const LIFETIME = 3_600_000;

/**
 * Makes one for a new key. It grants nobody anything: it stands in no log, as the authority's own certificates do, and is
 * made only here.
 */
export async function makeServerSvid({
  authority,
  clock,
}: Pick<Vouchsafe, "authority" | "clock">): Promise<ServerSvid> {
  const now = clock();
  const signing = authority.current();
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const expiresAt = Math.min(now + LIFETIME, signing.until);
  const svid = await signing.x509({
    spki: publicKey.export({ format: "der", type: "spki" }),
    spiffeId: serverId(authority.trustDomain),
    serial: Buffer.from(newSerial(), "hex"),
    notBefore: now - BACKDATED,
    notAfter: expiresAt,
  });
  return {
    cert: [svid, ...signing.chain].map((der) => writePem("CERTIFICATE", der)).join(""),
    key: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    expiresAt,
    authority: signing.id,
  };
}
