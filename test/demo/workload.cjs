/*
 * A workload, built as one executable file: it opens the SPIFFE Workload API, gets its X.509-SVID, and with it greets
 * a peer over mutual TLS, each time that the SVID is a new one. It knows nothing of Vouchsafe and uses nothing but
 * Node: what it does, any SPIFFE library does. Everything that happens is a JSON line on stdout.
 */
"use strict";
const { createPrivateKey } = require("node:crypto");
const http2 = require("node:http2");
const net = require("node:net");
const tls = require("node:tls");

const socketPath = process.env.SPIFFE_ENDPOINT_SOCKET.replace(/^unix:(\/\/)?/, "");
const [peerHost, peerPort] = process.env.PEER.split(":");
const peerAuthority = process.env.PEER_AUTHORITY;

function say(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** The length-delimited fields of a protobuf message, by number. */
function fieldsOf(message) {
  const fields = new Map();
  let at = 0;
  function varint() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
  while (at < message.length) {
    const number = varint() >> 3;
    const length = varint();
    fields.set(number, [...(fields.get(number) ?? []), message.subarray(at, at + length)]);
    at += length;
  }
  return fields;
}

/** Concatenated DER certificates as PEM. */
function pemOf(der) {
  const certificates = [];
  for (let at = 0; at < der.length; ) {
    const end = at + 4 + der.readUInt16BE(at + 2);
    const text = der.subarray(at, end).toString("base64");
    certificates.push(`-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`);
    at = end;
  }
  return certificates.join("");
}

function greet(svid) {
  const key = createPrivateKey({ key: svid.get(3)[0], format: "der", type: "pkcs8" });
  const peer = tls.connect({
    host: peerHost,
    port: Number(peerPort),
    cert: pemOf(svid.get(2)[0]),
    key: key.export({ format: "pem", type: "pkcs8" }),
    ca: peerAuthority,
    // SPIFFE names peers by URI and not by host; there is but one ledger in that trust domain.
    checkServerIdentity: () => undefined,
  });
  let answer = "";
  peer.on("data", (chunk) => {
    answer += chunk;
  });
  peer.on("end", () => say({ event: "greeted", answer }));
  peer.on("error", (error) => say({ event: "not greeted", reason: error.message }));
  peer.end("hello");
}

const session = http2.connect("http://localhost", { createConnection: () => net.connect(socketPath) });
session.on("error", (error) => say({ event: "refused", code: "unavailable", reason: error.message }));
const stream = session.request({
  ":method": "POST",
  ":path": "/SpiffeWorkloadAPI/FetchX509SVID",
  "content-type": "application/grpc",
  te: "trailers",
  "workload.spiffe.io": "true",
});
stream.end(Buffer.alloc(5));

let received = Buffer.alloc(0);
stream.on("data", (chunk) => {
  received = Buffer.concat([received, chunk]);
  while (received.length >= 5 && received.length >= 5 + received.readUInt32BE(1)) {
    const end = 5 + received.readUInt32BE(1);
    const [svid] = (fieldsOf(received.subarray(5, end)).get(1) ?? []).map(fieldsOf);
    received = received.subarray(end);
    say({ event: "svid", spiffeId: svid.get(1)[0].toString() });
    greet(svid);
  }
});
function ended(headers) {
  if (headers["grpc-status"] === undefined) return;
  const reason = decodeURIComponent(headers["grpc-message"] ?? "");
  say({ event: "refused", code: Number(headers["grpc-status"]), reason });
}
stream.on("response", ended);
stream.on("trailers", ended);
stream.on("error", (error) => say({ event: "refused", code: "unavailable", reason: error.message }));
stream.on("close", () => session.close());
