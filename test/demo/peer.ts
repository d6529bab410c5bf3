import { generateKeyPairSync, randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { writeRootCertificate } from "../../src/identity/root-certificate.ts";
import { parseTrustDomain, spiffeId } from "../../src/identity/spiffe-id.ts";
import type { TrustBundle } from "../../src/identity/trust-bundle.ts";
import { createX509Minter, serialFrom } from "../../src/identity/x509-svid.ts";
import { validateX509Svid, type X509Svid } from "../../src/identity/x509-validation.ts";
import { parseCertificate } from "../../src/x509/certificate.ts";
import { writePem } from "../../src/x509/pem.ts";
import { signerOf } from "../identity/trust-domain.ts";

/** A service of another trust domain that takes calls over mutual TLS from whoever shows an SVID of ours. */
export interface Peer {
  /** `host:port` */
  readonly address: string;
  /** What callers verify it with, PEM. */
  readonly authority: string;
  /** Resolves with the SVID that the next caller shows. */
  nextCaller(): Promise<X509Svid>;
  close(): Promise<void>;
}

const HOUR = 60 * 60 * 1000;

/** Starts the peer; it takes SVIDs that the trust bundle verifies, and reads from them what the caller runs. */
export async function startPeer(bundle: TrustBundle): Promise<Peer> {
  const own = await ownCertificate();
  const calls = new EventEmitter();
  const server = createServer({
    ...own,
    ca: bundle.x509Authorities.map(({ der }) => writePem("CERTIFICATE", der)),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    socket.on("error", () => {});
    const { raw } = socket.getPeerCertificate();
    const caller = validateX509Svid([raw], bundle, Date.now());
    socket.end(`welcome, ${caller.spiffeId}`);
    calls.emit("call", caller);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    authority: own.authority,
    async nextCaller() {
      const [caller] = await once(calls, "call");
      return caller as X509Svid;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** The peer's own SVID, from a root of its own trust domain. */
async function ownCertificate() {
  const trustDomain = parseTrustDomain("peer.example");
  const authorityKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const now = Date.now();
  const root = writeRootCertificate({
    trustDomain,
    key: authorityKey,
    serial: serialFrom(randomBytes(16)),
    now,
    life: 2 * HOUR,
  });
  const mint = createX509Minter({ caCertificate: parseCertificate(root), caKey: signerOf(authorityKey) });
  const leaf = await mint({
    spki: publicKey.export({ format: "der", type: "spki" }),
    spiffeId: spiffeId(trustDomain, "/ledger"),
    serial: serialFrom(randomBytes(16)),
    notBefore: now - HOUR,
    notAfter: now + HOUR,
  });
  return {
    key: privateKey.export({ format: "pem", type: "pkcs8" }),
    cert: writePem("CERTIFICATE", leaf),
    authority: writePem("CERTIFICATE", root),
  };
}
