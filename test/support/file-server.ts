import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface FileServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves over HTTP what `find` has for a path; 404 for nothing, and no answer at all for null. */
export async function serveFiles(
  find: (path: string) => string | Uint8Array | undefined | null,
): Promise<FileServer> {
  const server = createServer((request, response) => {
    const file = find(decodeURIComponent(request.url ?? ""));
    if (file === null) request.socket.destroy();
    else response.writeHead(file === undefined ? 404 : 200).end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
