import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fastify } from "fastify";
import type { App } from "../../src/http/app.ts";
import { closeDoors, closeDoorsInOrder } from "../../src/http/drain.ts";
import { sendProblem } from "../../src/http/problems.ts";
import {
  createEventStreams,
  type ServerSentEvent,
  type StreamLimits,
  type StreamOf,
} from "../../src/http/server-sent-events.ts";

interface Serving extends Partial<StreamLimits> {
  readonly events: StreamOf["events"];
  readonly mayRead?: () => Promise<unknown>;
}

async function serve(t: TestContext, { events, mayRead, ...limits }: Serving) {
  const app = fastify() as unknown as App;
  app.setErrorHandler(sendProblem);
  closeDoorsInOrder(app);
  const streams = createEventStreams(app, { readers: 3, readersEach: 2, ...limits });
  app.get("/stream/:name", (request, reply) =>
    streams.send(request, reply, {
      reader: {
        name: (request.params as { name: string }).name,
        party: (request.query as { party?: string }).party ?? "p",
      },
      events,
      ...(mayRead && { mayRead }),
    }),
  );
  await app.listen({ host: "127.0.0.1", port: 0 });
  t.after(() => closeDoors(app));
  const { port } = app.server.address() as AddressInfo;
  return { app, port, get: (reader: string) => fetch(`http://127.0.0.1:${port}/stream/${reader}`) };
}

async function* quiet(signal: AbortSignal): AsyncGenerator<ServerSentEvent> {
  yield { id: 1, comment: "here" };
  if (!signal.aborted) await once(signal, "abort");
}

test("places are counted, of one reader and of all, and given back", async (t) => {
  const { get } = await serve(t, { events: quiet });
  const [a, b] = [await get("ada"), await get("ada")];
  const third = await get("ada");
  await third.text();
  assert.deepEqual([third.status, third.headers.get("retry-after")], [429, "15"]);
  const c = await get("bob");
  const fourth = await get("eve");
  await fourth.text();
  assert.deepEqual([fourth.status, fourth.headers.get("retry-after")], [503, "15"]);
  const theirs = await get("ada?party=q");
  assert.equal(theirs.status, 200, "another party has its own places, and readers, whatever their names are");
  await theirs.body?.cancel();
  for (const one of [a, c]) await one.body?.cancel();
  let again = await get("ada");
  for (; again.status !== 200; again = await get("ada")) {
    await again.text();
    await sleep(10);
  }
  for (const one of [again, b]) await one.body?.cancel();
});

test("who takes nothing is waited for and cut off, and little waits in memory", async (t) => {
  let sent = 0;
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  async function* loud(): AsyncGenerator<ServerSentEvent> {
    try {
      for (; ; sent += 1) yield { id: sent, data: { text: "x".repeat(65_536) } };
    } finally {
      end();
    }
  }
  const { port } = await serve(t, { events: loud, patience: 200 });
  const socket = connect(port, "127.0.0.1", () =>
    socket.write("GET /stream/slow HTTP/1.1\r\nHost: x\r\n\r\n"),
  );
  socket.pause();
  await ended;
  const soFar = sent;
  assert.ok(soFar < 1_000, `${soFar} events for who reads none`);
  // What the kernel had taken is read, and then the connection is over.
  socket.on("error", () => {}).resume();
  await once(socket, "close");
  assert.equal(sent, soFar);
});

test("a stream ends with the credential, and each is told to come back when the server closes", async (t) => {
  let mayRead = true;
  const { app, get } = await serve(t, {
    events: quiet,
    recheck: 10,
    mayRead: async () => assert.ok(mayRead),
  });
  const first = await get("ada");
  mayRead = false;
  assert.equal(await first.text(), ": here\nid: 1\n\n");
  mayRead = true;
  const second = await get("ada");
  const closed = closeDoors(app);
  assert.match(await second.text(), /^: here\nid: 1\n\nretry: [0-9]{3,4}\n\n$/);
  await closed;
});

test("nothing goes on for who left before the first event", async (t) => {
  const [asked, begun] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let checks = 0;
  const { port } = await serve(t, {
    events: async (signal) => {
      asked.resolve();
      if (!signal.aborted) await once(signal, "abort");
      begun.resolve();
      return quiet(signal);
    },
    recheck: 5,
    mayRead: async () => {
      checks += 1;
    },
  });
  const socket = connect(port, "127.0.0.1", () =>
    socket.write("GET /stream/ada HTTP/1.1\r\nHost: x\r\n\r\n"),
  );
  await asked.promise;
  socket.destroy();
  await begun.promise;
  await sleep(50);
  assert.equal(checks, 0);
});

test("what fails before the first event is a problem, and gives its place back", async (t) => {
  const { get } = await serve(t, {
    events: () => {
      throw new Error("no");
    },
  });
  for (let i = 0; i < 5; i += 1) assert.equal((await get("ada")).status, 500);
});
