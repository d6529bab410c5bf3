import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Http2Session } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { VouchsafeError } from "../../errors.ts";
import { GRPCBroker, GRPCController, GRPCStdio } from "./proto/go_plugin_pb.ts";
import { Health } from "./proto/health_pb.ts";

export interface GoPluginOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Name and value of the environment variable by which a host says that it is one for plugins of this kind. */
  readonly cookie: string;
  /** The services that the plugin is there for. */
  readonly routes: (router: ConnectRouter) => void;
  /** Writes the handshake: the only thing that may ever come to stdout. */
  readonly announce: (line: string) => void;
  /** Ends the plugin, as the host's call does. */
  readonly signal: AbortSignal;
}

/** Of the framework itself, and of what this kind of plugin speaks. */
const [CORE_PROTOCOL, APP_PROTOCOL] = [1, 1];
/** What a host asks the health of. */
const PLUGIN_SERVICE = "plugin";
const SERVING = 1;
const MAX_REQUEST_BYTES = 1_048_576;
/** Milliseconds that what is under way is given when the plugin ends. */
const CLOSING = 500;

/**
 * Serves a plugin of hashicorp/go-plugin (docs/guide-plugin-write-non-go.md there) until its host ends it. gRPC runs on a
 * unix socket in a directory that is this user's alone; one that is killed leaves the directory behind.
 *
 * @throws VouchsafeError `configuration-invalid` where no host that can be served started this process
 */
export async function serveGoPlugin(options: GoPluginOptions): Promise<void> {
  const { environment, announce, signal } = options;
  requireHost(options);
  const told = new AbortController();
  const ending = AbortSignal.any([signal, told.signal]);
  const directory = await mkdtemp(join(environment.PLUGIN_UNIX_SOCKET_DIR || tmpdir(), "vouchsafe-plugin-"));
  try {
    const path = join(directory, "plugin.sock");
    const routes = (router: ConnectRouter) => {
      frameworkRoutes(router, ending, () => told.abort());
      options.routes(router);
    };
    const close = await listen(path, routes, ending);
    announce(`${CORE_PROTOCOL}|${APP_PROTOCOL}|unix|${path}|grpc\n`);
    await new Promise<void>((resolve) => {
      if (ending.aborted) resolve();
      ending.addEventListener("abort", () => resolve(), { once: true });
    });
    await close();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function requireHost({ environment, cookie }: GoPluginOptions): void {
  if (environment[cookie] !== cookie) {
    throw invalid("This is a plugin, which a program starts that takes such plugins: see docs/spire.md");
  }
  if (environment.PLUGIN_CLIENT_CERT) throw invalid("The host asks for AutoMTLS, which is not served");
  const versions = environment.PLUGIN_PROTOCOL_VERSIONS?.split(",") ?? [];
  if (versions.length > 0 && !versions.includes(String(APP_PROTOCOL))) {
    throw invalid(`The host speaks ${versions.join(", ")} and not version ${APP_PROTOCOL}`);
  }
}

/** What go-plugin asks of every plugin. */
function frameworkRoutes(router: ConnectRouter, ending: AbortSignal, end: () => void): void {
  router.service(Health, {
    check({ service }) {
      if (service !== "" && service !== PLUGIN_SERVICE) throw new ConnectError(service, Code.NotFound);
      return { status: SERVING };
    },
  });
  router.service(GRPCController, {
    shutdown() {
      // After the answer is on its way.
      setImmediate(end);
      return {};
    },
  });
  router.service(GRPCBroker, {
    // Where the host's own services are to be found: none of them is asked for anything.
    // biome-ignore lint/correctness/useYield: it has nothing to say
    async *startStream(connections, { signal }) {
      for await (const _ of connections) if (signal.aborted) return;
    },
  });
  router.service(GRPCStdio, {
    // Nothing is written to stdout, and the host reads stderr itself; the stream stays open all the same.
    async *streamStdio(_request, context) {
      const over = AbortSignal.any([ending, context.signal]);
      if (!over.aborted) await new Promise((resolve) => over.addEventListener("abort", resolve));
    },
  });
}

/** @returns what ends every connection */
async function listen(
  path: string,
  routes: (router: ConnectRouter) => void,
  shutdownSignal: AbortSignal,
): Promise<() => Promise<void>> {
  const handle = connectNodeAdapter({
    routes,
    readMaxBytes: MAX_REQUEST_BYTES,
    shutdownSignal,
    connect: false,
    grpcWeb: false,
  });
  const server = createServer(handle);
  const sessions = new Set<Http2Session>();
  server.on("session", (session: Http2Session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(invalid(`The socket ${path} cannot be served`, cause)));
    server.listen(path, resolve);
  });
  return async () => {
    await new Promise((resolve) => {
      server.close(resolve);
      for (const session of sessions) session.close();
      // A host that holds on to its connection is not waited for.
      setTimeout(() => {
        for (const session of sessions) session.destroy();
      }, CLOSING).unref();
    });
  };
}

function invalid(what: string, cause?: unknown): VouchsafeError {
  return new VouchsafeError("configuration-invalid", what, cause === undefined ? {} : { cause });
}
