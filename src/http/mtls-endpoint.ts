import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { closeInOrder } from "../close-server.ts";
import { certificateCredential } from "../services/access/authenticate-caller.ts";
import type { Vouchsafe } from "../services/context.ts";
import { presentedChain } from "../services/identities/presented-chain.ts";
import type { App } from "./app.ts";
import { rememberCredential } from "./authentication.ts";
import { answerClientError, refuseExpectations } from "./client-errors.ts";
import { connectionLimits } from "./limits.ts";
import { showServerSvid } from "./show-server-svid.ts";

export interface MtlsEndpointOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** Milliseconds. */
const HANDSHAKE_TIMEOUT = 10_000;

/**
 * Serves all of the doors by TLS once more, to clients that may show an X.509-SVID: the node shows its own, and who shows
 * one is the caller of every request on the connection that has no `Authorization`. Any certificate is let through the handshake, and
 * judged with the request: only then is it known for which project. Beside the other port and not in its place, which stands
 * behind a proxy that ends TLS. It is closed with the doors.
 */
export async function openMtlsEndpoint(
  app: App,
  v: Vouchsafe,
  { host, port }: MtlsEndpointOptions,
): Promise<{ readonly port: number }> {
  const { http, requestTimeout, keepAliveTimeout, connectionTimeout, maxRequestsPerSocket } =
    connectionLimits(v.config);
  const server = createServer(
    {
      ...http,
      requireHostHeader: false,
      requestTimeout,
      keepAliveTimeout,
      minVersion: "TLSv1.2",
      handshakeTimeout: HANDSHAKE_TIMEOUT,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => app.routing(request, response),
  );
  server.maxConnections = v.config.connections;
  server.maxRequestsPerSocket = maxRequestsPerSocket;
  server.setTimeout(connectionTimeout);
  refuseExpectations(server);
  server.on("clientError", (error, socket) => answerClientError(error, socket as TLSSocket));
  server.on("secureConnection", (socket) => {
    const chain = presentedChain(socket);
    if (chain.length > 0) rememberCredential(socket, certificateCredential(chain));
  });
  const closeServer = closeInOrder(server);
  const stopShowing = await showServerSvid(v, server);
  server.listen({ host, port });
  await once(server, "listening");
  app.closeWithDoors(async () => {
    stopShowing();
    await closeServer();
  });
  return { port: (server.address() as AddressInfo).port };
}
