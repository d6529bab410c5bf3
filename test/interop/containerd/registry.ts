import { once } from "node:events";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { BuiltImage } from "./image.ts";

export interface Registry {
  /** What the image is pulled by. */
  readonly name: string;
  close(): void;
}

/** Gives one image away, as `widget:1` (OCI distribution-spec, "Pull"). Runtimes ask the loopback without TLS. */
export async function serveRegistry({ layout, index }: BuiltImage): Promise<Registry> {
  const blob = (digest: string) => join(layout, "blobs/sha256", digest.replace("sha256:", ""));
  const server = createServer(async ({ url = "", method }, response) => {
    const [, kind, asked = ""] = /^\/v2\/widget\/(manifests|blobs)\/(1|sha256:[0-9a-f]{64})$/.exec(url) ?? [];
    if (url === "/v2/") return response.end("{}");
    if (kind === undefined) return response.writeHead(404).end();
    const digest = asked === "1" ? index : asked;
    if (kind === "manifests") {
      const bytes = await readFile(blob(digest));
      const type = digest === index ? "index" : "manifest";
      response.setHeader("content-type", `application/vnd.oci.image.${type}.v1+json`);
      response.setHeader("docker-content-digest", digest);
      response.setHeader("content-length", bytes.length);
      return response.end(method === "HEAD" ? undefined : bytes);
    }
    createReadStream(blob(digest)).pipe(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    name: `127.0.0.1:${(server.address() as AddressInfo).port}/widget:1`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
