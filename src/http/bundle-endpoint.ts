import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { hasCode } from "../errors.ts";
import type { Vouchsafe } from "../services/context.ts";
import { makeServerSvid } from "../services/federation/server-svid.ts";
import { readTrustBundle } from "../services/trust-bundle.ts";
import { BUNDLE_CACHE_CONTROL } from "./trust-bundle.ts";

export interface BundleEndpointOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** How often it is looked whether its SVID is half over, in milliseconds. */
  readonly look?: number;
}

export interface BundleEndpoint {
  readonly port: number;
  close(): Promise<void>;
}

const PATH = "/trust-bundle";
const LOOK = 30_000;

/**
 * Serves the trust bundle, and nothing else, to other trust domains by the profile `https_spiffe`
 * (SPIFFE_Federation.md §5.2.2.3): by TLS with an X.509-SVID of this trust domain, to whoever asks. Beside the doors and
 * not among them, which stand behind a proxy that ends TLS.
 */
export async function openBundleEndpoint(
  v: Vouchsafe,
  { host, port, look = LOOK }: BundleEndpointOptions,
): Promise<BundleEndpoint> {
  const server = createServer(
    {
      minVersion: "TLSv1.2",
      maxHeaderSize: 8 * 1024,
      requestTimeout: 10_000,
      headersTimeout: 10_000,
      handshakeTimeout: 10_000,
    },
    (request, response) => answer(v, request, response),
  );
  server.maxConnections = 1_000;
  let renewAt = 0;
  let shownBy: string | undefined;
  const rotate = async () => {
    const now = v.clock();
    // One of an authority that was retired validates under no bundle that is served here.
    if (now < renewAt && shownBy === v.authority.current().id) return;
    const { cert, key, expiresAt, authority } = await makeServerSvid(v);
    server.setSecureContext({ cert, key, minVersion: "TLSv1.2" });
    shownBy = authority;
    renewAt = now + (expiresAt - now) / 2;
  };
  // While relying parties may not know this node's authority yet nobody is answered; that is tried again.
  await rotate().catch(unlessUnavailable);
  const rotation = setInterval(() => v.background(() => rotate().catch(unlessUnavailable)), look);
  rotation.unref();
  server.listen({ host, port });
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      clearInterval(rotation);
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function answer(v: Vouchsafe, { method = "", url }: IncomingMessage, response: ServerResponse): void {
  const isFound = url === PATH;
  const status = !isFound ? 404 : method === "GET" || method === "HEAD" ? 200 : 405;
  const body = status === 200 ? JSON.stringify(readTrustBundle(v)) : "";
  response.writeHead(status, {
    "content-length": Buffer.byteLength(body),
    "x-content-type-options": "nosniff",
    ...(status === 405 && { allow: "GET, HEAD" }),
    ...(status === 200 && { "content-type": "application/json", "cache-control": BUNDLE_CACHE_CONTROL }),
  });
  response.end(method === "HEAD" ? undefined : body);
}

function unlessUnavailable(error: unknown): void {
  if (!hasCode(error, "unavailable")) throw error;
}
