import { fileURLToPath } from "node:url";
import { keptWhileGood, type TokenSource } from "../../client/token-source.ts";
import { UsageError } from "../usage-error.ts";
import { readJwtClaims } from "./jwt-claims.ts";

/** Milliseconds. */
const PATIENCE = 10_000;

/**
 * The JWT-SVIDs of this process, from the socket that SPIFFE_ENDPOINT_SOCKET names (SPIFFE_Workload_Endpoint.md §4).
 * Throws `UsageError` for what is no unix socket's URI.
 */
export function svidTokens(endpoint: string, audience: string): TokenSource {
  const socketPath = pathIn(endpoint);
  const ask = async () => {
    // Loaded here alone: gRPC is large, and every other command would wait for it.
    const { fetchJwtSvid } = await import("../../workload/fetch-jwt-svid.ts");
    const svid = await fetchJwtSvid(socketPath, audience, AbortSignal.timeout(PATIENCE)).catch((cause) => {
      throw new UsageError(
        `No JWT-SVID for the audience ${audience} from ${endpoint} (SPIFFE_ENDPOINT_SOCKET): ${reasonOf(cause)}`,
        { cause },
      );
    });
    if (svid === undefined)
      throw new UsageError(`${endpoint} (SPIFFE_ENDPOINT_SOCKET) gives this process no SVID`);
    return svid;
  };
  return keptWhileGood(ask, (token) => readJwtClaims(token)?.expiresAt, Date.now);
}

function pathIn(endpoint: string): string {
  const url = URL.parse(endpoint);
  if (url?.protocol !== "unix:" || url.host !== "" || url.search !== "") {
    throw new UsageError(
      `SPIFFE_ENDPOINT_SOCKET is a URI such as unix:///run/agent.sock, and not ${endpoint}`,
    );
  }
  return fileURLToPath(`file://${url.pathname}`);
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
