import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { closeInOrder } from "../src/close-server.ts";
import { webCertificate } from "./services/federation/bundle-server.ts";

const WAYS = {
  http: {
    serve: (answer: RequestListener) => createServer(answer),
    open: async (port: number) => {
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      return socket;
    },
  },
  https: {
    serve: (answer: RequestListener) => createTlsServer(webCertificate(), answer),
    open: async (port: number) => {
      const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
      await once(socket, "secureConnect");
      return socket;
    },
  },
};

for (const [way, { serve, open }] of Object.entries(WAYS))
  test(`a server of ${way} that closes answers what is under way, and waits for nobody who never asked`, async () => {
    const asked = Promise.withResolvers<void>();
    const may = Promise.withResolvers<void>();
    const server = serve(async (_, response) => {
      asked.resolve();
      await may.promise;
      response.end("answered");
    });
    const close = closeInOrder(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    // Over TLS one who never began the handshake.
    const mute = await WAYS.http.open(port);
    const [silent, asking, slow] = await Promise.all([open(port), open(port), open(port)]);
    let answers = "";
    for (const socket of [asking, slow])
      socket.setEncoding("utf8").on("data", (text) => {
        answers += text;
      });
    const over = [silent, mute, asking, slow].map((socket) => once(socket.resume(), "close"));
    asking.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    slow.write("GET / HTTP/1.1\r\n");
    await asked.promise;
    const closed = close();
    // Were it waited for, the other two would be cut off with it.
    await Promise.all([over[0], over[1]]);
    slow.write("Host: x\r\n\r\n");
    may.resolve();
    await Promise.all([...over, closed]);
    assert.deepEqual(answers.match(/answered/g)?.length, 2);
  });
