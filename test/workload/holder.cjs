/* Asks for an X.509-SVID on descriptor 3, which another process opened, once the file is there. */
"use strict";
const { existsSync } = require("node:fs");
const http2 = require("node:http2");
const net = require("node:net");
const { openX509Stream } = require("./x509-stream.cjs");

const PERMISSION_DENIED = 7;

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`, () => process.exit());
}

// An agent that found nobody to attest hangs up at once, with what was sent unread.
const hungUp = () => say({ code: PERMISSION_DENIED, details: "(process-gone: hung up)" });
const failed = (error) =>
  error.code === "ECONNRESET" ? hungUp() : say({ code: -1, details: error.message });

function ask() {
  const socket = new net.Socket({ fd: 3 });
  const session = http2.connect("http://localhost", { createConnection: () => socket });
  session.on("error", failed);
  session.on("close", hungUp);
  const stream = openX509Stream(session);
  const ended = (headers) => {
    if (headers["grpc-status"] === undefined) return;
    say({ code: Number(headers["grpc-status"]), details: decodeURIComponent(headers["grpc-message"] ?? "") });
  };
  stream.on("response", ended).on("trailers", ended);
  stream.on("data", () => say({ answer: true }));
  stream.on("error", failed);
}

const waiting = setInterval(() => {
  if (!existsSync(process.argv[2])) return;
  clearInterval(waiting);
  ask();
}, 20);
