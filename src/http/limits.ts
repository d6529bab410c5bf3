import type { Config } from "../config/config.ts";
import type { Bounds } from "./turns.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** The largest JSON body, in bytes; routes that take evidence and manifests have limits of their own. */
export const MAX_JSON_BODY = 1024 * 1024;

/** What is received within less is a request; Node looks at all connections this often, in milliseconds. */
const HEADERS_TIMEOUT = 15 * SECOND;
const LOOK = 2 * SECOND;

/** Requests of one connection: then it is closed in order, so that a balancer in front can spread them anew. */
const MAX_REQUESTS_PER_SOCKET = 1_000_000;

/** How long a connection may take for what, as Fastify and Node have it. Slow clients hold a connection and nothing else. */
export function connectionLimits({ requestTimeout, clientPatience }: Config) {
  return {
    // Receiving a request may not take longer, so that slow senders do not hold connections.
    requestTimeout,
    // In the midst of a request, or of an answer that is not taken: nothing moved for so long.
    connectionTimeout: clientPatience,
    // Longer than the idle timeout of usual proxies (60 s), so that they close first and lose no request.
    keepAliveTimeout: 72 * SECOND,
    maxRequestsPerSocket: MAX_REQUESTS_PER_SOCKET,
    http: {
      maxHeaderSize: 16 * 1024,
      headersTimeout: Math.min(HEADERS_TIMEOUT, requestTimeout),
      connectionsCheckingInterval: Math.min(LOOK, requestTimeout / 2),
    },
  };
}

/** Calls under way at once. A node that has more would answer none of them sooner. */
export function boundsOf({ writesAtOnce, exportsAtOnce, simulationsAtOnce }: Config): Bounds {
  return {
    public: { perNode: 1_024 },
    read: { perCaller: 1_024, perNode: 2_048 },
    // As many as the writer's queue holds.
    write: { perCaller: writesAtOnce, perNode: 4_096 },
    export: { perCaller: exportsAtOnce, perNode: 64, longest: 30 * MINUTE },
    simulation: { perCaller: simulationsAtOnce, perNode: 8, longest: 30 * MINUTE },
    watch: { perCaller: 256, perNode: 8_192 },
  };
}
