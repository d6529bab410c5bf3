import type { TLSSocket } from "node:tls";

/** Longer ones no SVID has. */
const MAX_CHAIN = 8;

/** The certificates that the other end of a connection showed, DER, its own first; none where it showed none. */
export function presentedChain(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = [];
  for (let one = socket.getPeerCertificate(true); one?.raw !== undefined; one = one.issuerCertificate) {
    // A self-signed certificate is its own issuer.
    if (chain.at(-1)?.equals(one.raw) || chain.length > MAX_CHAIN) break;
    chain.push(one.raw);
  }
  return chain;
}
