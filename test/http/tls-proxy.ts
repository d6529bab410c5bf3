import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Shown } from "../services/federation/bundle-server.ts";
import type { TestNode } from "./node.ts";

/**
 * A proxy that ends TLS in front of a node and takes a path away from its URLs, as one stands in front of a server.
 *
 * @param node is asked when a request comes, so that the URL may be known before the node is opened
 */
export async function serveByTls({ cert, key }: Shown, node: () => TestNode, path = "") {
  const server = createServer({ cert, key }, async ({ url = "" }, response) => {
    const answer = await node().app.inject(url.slice(path.length));
    response.writeHead(answer.statusCode, { "content-type": "application/json" }).end(answer.body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
