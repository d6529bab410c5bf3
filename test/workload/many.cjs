/*
 * A workload that holds many streams at once, each on a connection of its own, and writes how many SVID messages it was
 * given so far, as a JSON line: `WIDGET script socket count`.
 */
"use strict";
const http2 = require("node:http2");
const net = require("node:net");
const { openX509Stream } = require("./x509-stream.cjs");

const [, , socket, count] = process.argv;
let received = 0;

function hold() {
  const session = http2.connect("http://localhost", { createConnection: () => net.connect(socket) });
  session.on("error", () => {});
  const stream = openX509Stream(session);
  let pending = Buffer.alloc(0);
  stream.on("error", () => {});
  stream.on("data", (chunk) => {
    // A gRPC message: a flag, its length in four bytes, and so many bytes.
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 5 && pending.length >= 5 + pending.readUInt32BE(1)) {
      pending = pending.subarray(5 + pending.readUInt32BE(1));
      received += 1;
    }
  });
}
for (let i = 0; i < Number(count); i += 1) hold();

let said = -1;
setInterval(() => {
  if (received === said) return;
  said = received;
  process.stdout.write(`${JSON.stringify({ received })}\n`);
}, 20);
