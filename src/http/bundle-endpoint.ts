import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { closeInOrder } from "../close-server.ts";
import type { Vouchsafe } from "../services/context.ts";
import { readTrustBundle } from "../services/identities/trust-bundle.ts";
import { BUNDLE_CACHE_CONTROL } from "./resources/trust-bundle.ts";
import { showServerSvid } from "./show-server-svid.ts";

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

/**
 * Serves the trust bundle, and nothing else, to other trust domains by the profile `https_spiffe`
 * (SPIFFE_Federation.md §5.2.2.3): by TLS with an X.509-SVID of this trust domain, to whoever asks. Beside the doors and
 * not among them, which stand behind a proxy that ends TLS.
 */
export async function openBundleEndpoint(
  v: Vouchsafe,
  { host, port, look }: BundleEndpointOptions,
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
  const closeServer = closeInOrder(server);
  const stopShowing = await showServerSvid(v, server, look);
  server.listen({ host, port });
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      stopShowing();
      await closeServer();
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
