import { connect } from "node:net";
import { Code, ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";

export interface GrpcChannel {
  readonly transport: Transport;
  /** Ends the calls that are under way. */
  close(): void;
}

const IDLE = 60_000;

/** gRPC over a unix socket: one connection, opened when it is needed and closed when it idles. */
export function openGrpcChannel(
  socketPath: string,
  {
    maxBytes,
    metadata = {},
  }: { readonly maxBytes: number; readonly metadata?: Readonly<Record<string, string>> },
): GrpcChannel {
  const sessionManager = new Http2SessionManager(
    "http://localhost",
    { idleConnectionTimeoutMs: IDLE },
    { createConnection: () => connect(socketPath) },
  );
  const addMetadata: Interceptor = (next) => (request) => {
    for (const [name, value] of Object.entries(metadata)) request.header.set(name, value);
    return next(request);
  };
  const transport = createGrpcTransport({
    baseUrl: "http://localhost",
    sessionManager,
    interceptors: [addMetadata],
    acceptCompression: [],
    readMaxBytes: maxBytes,
  });
  return { transport, close: () => sessionManager.abort() };
}

/** For `catch`: undefined for what the server does not have, and every other failure as it is. */
export function absent(error: unknown): undefined {
  if (error instanceof ConnectError && error.code === Code.NotFound) return undefined;
  throw error;
}
