/*
 * A workload that holds so many X.509 streams, each on a connection of its own: `WIDGET script socket count`. Writes one JSON line when all
 * have an SVID, and one for each that ends, with its status and when that was. At SIGUSR2 those that ended are opened again.
 */
"use strict";
const { join } = require("node:path");
const grpc = require("@grpc/grpc-js");
const { loadSync } = require("@grpc/proto-loader");

const PROTO = join(__dirname, "../src/workload/workload.proto");
const { SpiffeWorkloadAPI } = grpc.loadPackageDefinition(loadSync(PROTO, { keepCase: true }));
const [, , socket, count] = process.argv;
const metadata = new grpc.Metadata();
metadata.set("workload.spiffe.io", "true");
let live = 0;
let wanted = Number(count);

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function hold() {
  const client = new SpiffeWorkloadAPI(`unix:${socket}`, grpc.credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
  let isLive = false;
  const stream = client.FetchX509SVID({}, metadata);
  stream.on("data", () => {
    if (isLive) return;
    isLive = true;
    live += 1;
    if (live === Number(count)) say({ live });
  });
  stream.on("error", () => {});
  stream.on("status", ({ code }) => {
    if (isLive) {
      live -= 1;
      say({ code, at: performance.timeOrigin + performance.now() });
      wanted += 1;
    } else setTimeout(hold, 50);
    client.close();
  });
}

function open() {
  const missing = wanted;
  wanted = 0;
  for (let i = 0; i < missing; i += 1) hold();
}
process.on("SIGUSR2", open);
open();
// A handler of signals alone keeps no process running.
setInterval(() => {}, 60_000);
