import { constants } from "node:crypto";
import type { SecureContextOptions } from "node:tls";
import { unlessUnavailable } from "../errors.ts";
import type { Vouchsafe } from "../services/context.ts";
import { makeServerSvid } from "../services/federation/server-svid.ts";

/** A TLS server: what it shows can be changed while it serves. */
interface TlsServer {
  setSecureContext(options: SecureContextOptions): void;
}

/** How often it is looked whether the SVID is half over, in milliseconds. */
const LOOK = 30_000;

/**
 * Has a server show an X.509-SVID of the node's own, and a new one when that is half over, or its authority was retired: it
 * would validate under no bundle that is served. While relying parties may not know this node's authority yet the server
 * shows nothing, so that no handshake succeeds; that is tried again. No session is resumed: a client's certificate is of one
 * handshake, and a ticket would not hold its chain.
 *
 * @param look how often it is looked, in milliseconds
 * @returns ends it
 */
export async function showServerSvid(v: Vouchsafe, server: TlsServer, look = LOOK): Promise<() => void> {
  let renewAt = 0;
  let shownBy: string | undefined;
  const rotate = async () => {
    const now = v.clock();
    if (now < renewAt && shownBy === v.authority.current().id) return;
    const { cert, key, expiresAt, authority } = await makeServerSvid(v);
    server.setSecureContext({ cert, key, minVersion: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET });
    shownBy = authority;
    renewAt = now + (expiresAt - now) / 2;
  };
  await rotate().catch(unlessUnavailable);
  const rotation = setInterval(() => v.background(() => rotate().catch(unlessUnavailable)), look);
  rotation.unref();
  return () => clearInterval(rotation);
}
