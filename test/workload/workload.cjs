/*
 * A workload: asks the Workload API with grpc-js and the proto as it stands, and writes one JSON line for each
 * answer. `WIDGET script socket call` where call is a method's name, with JSON as its request after it.
 */
"use strict";
const { join } = require("node:path");
const grpc = require("@grpc/grpc-js");
const { loadSync } = require("@grpc/proto-loader");

const PROTO = join(__dirname, "../../src/workload/workload.proto");
const { SpiffeWorkloadAPI } = grpc.loadPackageDefinition(loadSync(PROTO, { keepCase: true }));

const [, , socket, method, request = "{}", headers = '{"workload.spiffe.io":"true"}'] = process.argv;
const metadata = new grpc.Metadata();
for (const [name, value] of Object.entries(JSON.parse(headers))) metadata.set(name, value);
const client = new SpiffeWorkloadAPI(`unix:${socket}`, grpc.credentials.createInsecure());

function say(line) {
  const text = JSON.stringify(line, (_, value) =>
    value?.type === "Buffer" ? Buffer.from(value.data).toString("base64") : value,
  );
  process.stdout.write(`${text}\n`);
}
const failed = ({ code, details }) => say({ code, details });

if (SpiffeWorkloadAPI.service[method].responseStream) {
  client[method](JSON.parse(request), metadata)
    .on("data", (answer) => say({ answer }))
    .on("error", failed);
} else {
  client[method](JSON.parse(request), metadata, (error, answer) => (error ? failed(error) : say({ answer })));
}
