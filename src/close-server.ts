import { once } from "node:events";
import type { Server as HttpServer } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import { Server as TlsServer } from "node:tls";

/** How long requests under way may take to end, in milliseconds. */
const GRACE = 10_000;
/** How often connections are looked for that nothing is under way on, in milliseconds. */
const SWEEP = 50;

/** Ends a server. `stop` has it take no new connections, and resolves when it has none any more. */
export type CloseServer = (stop?: () => Promise<unknown>) => Promise<void>;

/**
 * Has a server closed in order: requests under way are answered, or cut off after ten seconds; connections on which nothing is
 * under way are closed at once. To be called before it listens.
 */
export function closeInOrder(server: HttpServer | HttpsServer): CloseServer {
  const connections = new Set<Socket>();
  const note = (socket: Socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  };
  // Of TLS both what is beneath it, of those who never got so far, and what came of it.
  server.on("connection", note);
  if (server instanceof TlsServer) server.on("secureConnection", note);

  function closeIdle(): void {
    // What is answered meanwhile would be kept alive.
    server.closeIdleConnections();
    // To Node a request is under way on who never sent anything, as clients' spare connections do.
    for (const connection of connections) if (connection.bytesRead === 0) connection.destroy();
  }

  async function stopListening(): Promise<void> {
    const closed = once(server, "close");
    server.close();
    await closed;
  }

  return async (stop = stopListening) => {
    // Of connections whose handshake is not over Node's `closeAllConnections` knows nothing.
    const cutOff = setTimeout(() => {
      for (const connection of connections) connection.destroy();
    }, GRACE);
    const sweep = setInterval(closeIdle, SWEEP);
    try {
      await stop();
    } finally {
      clearTimeout(cutOff);
      clearInterval(sweep);
    }
  };
}
