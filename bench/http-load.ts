import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Connections to one server, each of which sends a request when the answer to its last one is complete. */
export interface HttpLoad {
  /** Sends `count` requests over all connections. Fails at an answer of another status. */
  run(count: number): Promise<void>;
  close(): void;
}

export interface HttpLoadOptions {
  readonly port: number;
  readonly connections: number;
  /** The bytes of the next request of a connection. */
  readonly request: (connection: number) => string;
  /** Of each answer; 200 if absent. */
  readonly status?: number;
  /** Sees each answer's body; absent while measuring. */
  readonly onBody?: (body: string) => void;
}

/**
 * HTTP/1.1 over plain sockets, without pipelining: it reads of an answer only what it must, so that the server
 * and not the load is what a bench measures.
 */
export async function openHttpLoad({
  port,
  connections,
  request,
  status = 200,
  onBody,
}: HttpLoadOptions): Promise<HttpLoad> {
  const sockets = Array.from({ length: connections }, () =>
    connect({ port, host: "127.0.0.1", noDelay: true }),
  );
  await Promise.all(sockets.map((socket) => once(socket, "connect")));

  async function runOn(socket: Socket, connection: number, take: () => boolean): Promise<void> {
    const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
    const next = () => (take() ? socket.write(request(connection), "latin1") : resolve());
    let received: Buffer = Buffer.alloc(0);
    const read = (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const length = answerLength(received);
      if (length === undefined || received.length < length) return;
      try {
        requireStatus(received, length, status);
        onBody?.(received.toString("utf8", received.indexOf(BLANK_LINE) + BLANK_LINE.length));
        received = Buffer.alloc(0);
        next();
      } catch (error) {
        reject(error);
      }
    };
    const gone = () => reject(new Error("the server ended the connection"));
    socket.on("data", read).once("close", gone).once("error", reject);
    next();
    try {
      await ended;
    } finally {
      socket.off("data", read).off("close", gone).off("error", reject);
    }
  }

  return {
    async run(count) {
      let left = count;
      const take = () => left-- > 0;
      // Never sleeps: to wake a sleeping process takes a server longer than to answer, and the slower server would
      // have to do so more often.
      let running = true;
      const stayAwake = () => {
        if (running) setImmediate(stayAwake);
      };
      stayAwake();
      try {
        await Promise.all(sockets.map((socket, i) => runOn(socket, i, take)));
      } finally {
        running = false;
      }
    },
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

const BLANK_LINE = "\r\n\r\n";
const CONTENT_LENGTH = "content-length: ";

/** Bytes of an answer with its head, as far as its head is there. */
function answerLength(received: Buffer): number | undefined {
  const head = received.indexOf(BLANK_LINE);
  if (head < 0) return undefined;
  const text = received.toString("latin1", 0, head);
  const at = text.indexOf(CONTENT_LENGTH);
  if (at < 0) throw new Error(`an answer without ${CONTENT_LENGTH}:\n${text}`);
  return head + BLANK_LINE.length + Number.parseInt(text.slice(at + CONTENT_LENGTH.length), 10);
}

function requireStatus(received: Buffer, length: number, status: number): void {
  const isRight = received.toString("latin1", 0, 13) === `HTTP/1.1 ${status} ` && received.length === length;
  if (!isRight) throw new Error(`not the answer to one request:\n${received.toString()}`);
}
