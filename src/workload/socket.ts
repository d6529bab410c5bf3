import { chmod, lstat, mkdir, rm } from "node:fs/promises";
import {
  createServer,
  type Http2ServerResponse,
  type Http2Session,
  type ServerHttp2Session,
} from "node:http2";
import { connect, createServer as createNetServer, type Socket } from "node:net";
import { dirname } from "node:path";
import type { ConnectRouter, ContextValues, Interceptor } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { VouchsafeError } from "../errors.ts";
import type { Peer } from "./attest.ts";

/** All processes of the host share the socket: none may take what the others need. */
const MAX_CONNECTIONS = 4096;
const MAX_CONNECTIONS_PER_USER = 2048;
const MAX_STREAMS_PER_CONNECTION = 64;
const MAX_CALLS_PER_USER = 4096;
const MAX_REQUEST_BYTES = 64 * 1024;

type Request = Parameters<ReturnType<typeof connectNodeAdapter>>[0];

export interface SocketOptions {
  readonly path: string;
  readonly openPeer: (fd: number) => Promise<Peer>;
  readonly routes: (router: ConnectRouter) => void;
  readonly interceptors: readonly Interceptor[];
  /** What the calls of a peer's connection are told of it. */
  readonly contextOf: (peer: Peer) => ContextValues;
  /** Aborted when the agent stops: ends the streams. */
  readonly signal: AbortSignal;
  /** A connection that was refused before its first call. */
  readonly onRefused: (error: unknown) => void;
}

/**
 * Serves gRPC on a unix socket that every process of the host may connect to; who it is, is known before the
 * first byte is read. Throws `VouchsafeError` (`configuration-invalid`) when the path is taken.
 */
export async function serveSocket(options: SocketOptions): Promise<{ close(): Promise<void> }> {
  const peers = new WeakMap<Http2Session, Peer>();
  const connectionsOf = new Map<number, number>();
  const callsOf = new Map<number, number>();
  const sockets = new Set<Socket>();
  const handle = connectNodeAdapter({
    routes: options.routes,
    interceptors: [...options.interceptors],
    contextValues: (request) => options.contextOf(peerOf(request)),
    readMaxBytes: MAX_REQUEST_BYTES,
    shutdownSignal: options.signal,
    connect: false,
    grpcWeb: false,
  });
  const h2 = createServer(
    { settings: { maxConcurrentStreams: MAX_STREAMS_PER_CONNECTION, enablePush: false } },
    (request, response) => {
      // gRPC's C core names the socket's path here, of which no URL can be made.
      request.headers[":authority"] = "localhost";
      try {
        const { uid } = peerOf(request);
        if ((callsOf.get(uid) ?? 0) >= MAX_CALLS_PER_USER) return refuse(response);
        count(callsOf, uid, 1);
        request.stream.once("close", () => count(callsOf, uid, -1));
        handle(request, response);
      } catch (error) {
        // What no call can be made of ends its connection and nothing else.
        request.stream.session?.destroy();
        options.onRefused(error);
      }
    },
  );

  function peerOf(request: Request): Peer {
    const session = "stream" in request ? request.stream.session : undefined;
    const peer = session && peers.get(session);
    if (peer === undefined) throw new Error("a call on a connection whose peer is not known");
    return peer;
  }

  async function admit(socket: Socket): Promise<void> {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    const peer = await options.openPeer(descriptorOf(socket));
    if (socket.destroyed) return peer.close();
    const others = connectionsOf.get(peer.uid) ?? 0;
    if (others >= MAX_CONNECTIONS_PER_USER) {
      peer.close();
      throw new VouchsafeError("rate-limited", `user ${peer.uid} has ${others} connections`);
    }
    count(connectionsOf, peer.uid, 1);
    socket.once("close", () => {
      peer.close();
      count(connectionsOf, peer.uid, -1);
    });
    // Emitted while the connection is taken over, so it is this socket's.
    h2.once("session", (session: ServerHttp2Session) => peers.set(session, peer));
    h2.emit("connection", socket);
    // HTTP/2 reads what comes, but leaves the starting to a socket that was not paused.
    socket.resume();
  }

  const server = createNetServer({ pauseOnConnect: true }, (socket) => {
    admit(socket).catch((error) => {
      socket.destroy();
      options.onRefused(error);
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  await takePath(options.path);
  await new Promise<void>((resolve, reject) => {
    // The path may be too long (107 bytes), or in a directory that is not there or not ours.
    server.once("error", (cause) => reject(unusable(options.path, cause)));
    server.listen({ path: options.path, readableAll: true, writableAll: true }, resolve);
  });

  return {
    async close() {
      await new Promise((resolve) => {
        server.close(resolve);
        for (const socket of sockets) socket.destroy();
      });
    },
  };
}

/** Adds to what a user has, and forgets who has nothing. */
function count(counts: Map<number, number>, uid: number, change: number): void {
  const now = (counts.get(uid) ?? 0) + change;
  if (now > 0) counts.set(uid, now);
  else counts.delete(uid);
}

/** RESOURCE_EXHAUSTED, as an answer of trailers alone. */
function refuse(response: Http2ServerResponse): void {
  response.writeHead(200, {
    "content-type": "application/grpc",
    "grpc-status": "8",
    "grpc-message": "The user has too many calls",
  });
  response.end();
}

function unusable(path: string, cause: Error): VouchsafeError {
  return new VouchsafeError(
    "configuration-invalid",
    `The socket ${path} cannot be served: ${cause.message}`,
    { cause },
  );
}

/** libuv's descriptor, which Node keeps to itself; without it nobody can be attested. */
function descriptorOf(socket: Socket): number {
  const fd = (socket as { _handle?: { fd?: unknown } })._handle?.fd;
  if (typeof fd !== "number" || fd < 0) throw new VouchsafeError("internal", "the socket has no descriptor");
  return fd;
}

/** Makes room for the socket: an agent that was killed leaves its own behind. */
async function takePath(path: string): Promise<void> {
  const directory = dirname(path);
  try {
    if ((await mkdir(directory, { recursive: true })) !== undefined) await chmod(directory, 0o755);
  } catch (cause) {
    throw unusable(path, cause as Error);
  }
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) throw new VouchsafeError("configuration-invalid", `${path} is there and no socket`);
  if (await isServed(path)) throw new VouchsafeError("configuration-invalid", `another agent serves ${path}`);
  await rm(path);
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}
