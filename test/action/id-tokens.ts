import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { OidcIssuer } from "../support/oidc-issuer.ts";

/** What a job of GitHub Actions asks for its OIDC tokens, by the variables that only a job with `id-token: write` has. */
export interface IdTokens {
  readonly env: Readonly<Record<string, string>>;
  /** What was given out, in order. */
  readonly given: readonly string[];
  close(): Promise<void>;
}

const REQUEST_TOKEN = "of-this-job";

export async function serveIdTokens(issuer: OidcIssuer): Promise<IdTokens> {
  const given: string[] = [];
  const server = createServer(async (request, response) => {
    const audience = new URL(request.url ?? "", "http://runner").searchParams.get("audience");
    if (request.headers.authorization !== `Bearer ${REQUEST_TOKEN}` || audience === null) {
      return void response.writeHead(403).end();
    }
    const value = await issuer.token({ aud: audience });
    given.push(value);
    response.end(JSON.stringify({ value }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    env: {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/idtoken?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN,
    },
    given,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
