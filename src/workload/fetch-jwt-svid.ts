import { createClient } from "@connectrpc/connect";
import { openGrpcChannel } from "./attestors/grpc-channel.ts";
import { SpiffeWorkloadAPI } from "./workload_pb.ts";

const MAX_BYTES = 1024 * 1024;

/**
 * A JWT-SVID of this process for an audience, of whatever serves the SPIFFE Workload API on the socket: the first that it
 * is given. Throws `ConnectError` (SPIFFE_Workload_API.md §6).
 */
export async function fetchJwtSvid(
  socketPath: string,
  audience: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  // Without the header a server takes the call for a forged one (SPIFFE_Workload_Endpoint.md §3).
  const metadata = { "workload.spiffe.io": "true" };
  const channel = openGrpcChannel(socketPath, { maxBytes: MAX_BYTES, metadata });
  try {
    const { svids } = await createClient(SpiffeWorkloadAPI, channel.transport).fetchJWTSVID(
      { audience: [audience] },
      { signal },
    );
    return svids[0]?.svid;
  } finally {
    channel.close();
  }
}
