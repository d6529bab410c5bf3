/**
 * A relying party, to read and to copy from: an HTTPS server that lets in who has an X.509-SVID of the trust domain, and follows
 * what is revoked. Who is revoked is refused, and cut off where it is connected already. docs/revoked-identities.md tells it.
 *
 *   VOUCHSAFE_SERVER=https://… CERT=svid.pem KEY=key.pem CA=bundle.pem PORT=8443 node docs/examples/relying-party.ts
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { TLSSocket } from "node:tls";

const { VOUCHSAFE_SERVER = "http://127.0.0.1:8080", CERT = "", KEY = "", CA = "", PORT = "0" } = process.env;
/** Milliseconds: the server says every 15 seconds that all is told; without word for this long nobody is let in. */
const MAX_SILENCE = 45_000;

/** Until when each would have been good, by serial number. */
const revoked = new Map<string, number>();
const connected = new Map<string, Set<TLSSocket>>();
let heardAt = Number.NEGATIVE_INFINITY;

function hear(event: string): string | undefined {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(event)?.[1];
  const data = JSON.parse(field("data") ?? "{}");
  // Until the first of these, not everything is told.
  if (field("event") === "current") heardAt = performance.now();
  for (const { kind, serial, expiresAt } of data.revoked ?? []) {
    if (kind !== "x509") continue;
    revoked.set(serial, Date.parse(expiresAt));
    for (const socket of connected.get(serial) ?? []) socket.destroy();
  }
  for (const [serial, end] of revoked) if (end < Date.now()) revoked.delete(serial);
  return field("id");
}

async function follow(): Promise<never> {
  for (let last: string | undefined; ; await sleep(1_000)) {
    try {
      const headers = last === undefined ? {} : { "last-event-id": last };
      const response = await fetch(new URL("/revocations/stream", VOUCHSAFE_SERVER), { headers });
      if (!response.ok || response.body === null) continue;
      let text = "";
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        const events = (text + chunk).split("\n\n");
        text = events.pop() ?? "";
        for (const event of events) last = hear(event) ?? last;
      }
    } catch {
      // Away: connections stay, new ones are refused after a while.
    }
  }
}

const server = createServer(
  { cert: readFileSync(CERT), key: readFileSync(KEY), ca: readFileSync(CA), requestCert: true },
  (request, response) => {
    // What was received before the connection was cut is no longer asked by anybody.
    if (request.socket.destroyed) return;
    const { subjectaltname } = (request.socket as TLSSocket).getPeerCertificate();
    response.end(`hello ${subjectaltname}\n`);
  },
);
server.on("secureConnection", (socket) => {
  const serial = socket.getPeerCertificate().serialNumber.toLowerCase();
  if (revoked.has(serial) || performance.now() - heardAt > MAX_SILENCE) {
    socket.destroy();
    return;
  }
  const sockets = connected.get(serial) ?? new Set();
  connected.set(serial, sockets.add(socket));
  socket.once("close", () => sockets.delete(socket) && sockets.size === 0 && connected.delete(serial));
});
server.listen(Number(PORT), () => console.log(JSON.stringify(server.address())));
await follow();
