import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A wire to a server that can be cut and mended, so that a test decides when a database is away. */
export interface CutProxy {
  /** The server's URL by way of this wire. */
  through(url: string): string;
  /** How often somebody tried to connect, also while it was cut. */
  readonly attempts: number;
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function startCutProxy(serverUrl: string): Promise<CutProxy> {
  const { hostname, port } = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let isCut = false;
  let attempts = 0;
  const server = createServer((near) => {
    attempts += 1;
    if (isCut) return near.destroy();
    const far = connect(Number(port || 5432), hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
    return undefined;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    through(url) {
      const rerouted = new URL(url);
      rerouted.hostname = "127.0.0.1";
      rerouted.port = String((server.address() as AddressInfo).port);
      return rerouted.href;
    },
    get attempts() {
      return attempts;
    },
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      isCut = false;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
