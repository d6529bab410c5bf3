import { createServer, type RequestListener } from "node:http";
import type { TestContext } from "node:test";

/** Serves http on this machine until the test ends; gives `127.0.0.1:port`. */
export async function serveLocally(
  t: Pick<TestContext, "after">,
  listener: RequestListener,
): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("it listens on no port");
  return `127.0.0.1:${address.port}`;
}
