import { Agent, request } from "node:http";

/** One kind of request, sent anew as soon as it is answered, on so many connections. */
export interface Stream {
  readonly connections: number;
  /** The next request. */
  readonly next: () => {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: Uint8Array;
  };
}

export interface Flood {
  /** How often each status was answered; 0: the connection failed. 429 and 503 without Retry-After count as -1. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Sends no more, and resolves when all are answered. */
  stop(): Promise<void>;
}

/** Asks a server for more than it can do: nobody waits as an answer tells them to. */
export function flood(server: string, streams: readonly Stream[]): Flood {
  const { hostname, port } = new URL(server);
  const connections = streams.reduce((sum, stream) => sum + stream.connections, 0);
  const agent = new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections });
  const statuses = new Map<number, number>();
  let stopped = false;

  function ask({ next }: Stream): Promise<number> {
    const { body, ...rest } = next();
    const length = body === undefined ? {} : { "content-length": String(body.length) };
    const headers = { ...rest.headers, ...length };
    return new Promise((resolve) => {
      const asked = request({ ...rest, headers, agent, hostname, port }, (answer) => {
        const status = answer.statusCode ?? 0;
        const isUntold = (status === 429 || status === 503) && answer.headers["retry-after"] === undefined;
        answer.resume();
        answer.once("end", () => resolve(isUntold ? -1 : status));
        answer.once("error", () => resolve(0));
      });
      asked.once("error", () => resolve(0));
      asked.end(body);
    });
  }
  async function keepAsking(stream: Stream): Promise<void> {
    while (!stopped) {
      const status = await ask(stream);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  }

  const asking = streams.flatMap((stream) =>
    Array.from({ length: stream.connections }, () => keepAsking(stream)),
  );
  return {
    statuses,
    async stop() {
      stopped = true;
      await Promise.all(asking);
      agent.destroy();
    },
  };
}
