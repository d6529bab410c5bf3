/*
 * A workload that asks without end, several times at once, and writes one JSON line for each SVID that it is given:
 * `WIDGET script socket`. When the agent is away it asks again.
 */
"use strict";
const { hash, X509Certificate } = require("node:crypto");
const { join } = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");
const grpc = require("@grpc/grpc-js");
const { loadSync } = require("@grpc/proto-loader");

const ASKERS = 4;
const PROTO = join(__dirname, "../../src/workload/workload.proto");
const { SpiffeWorkloadAPI } = grpc.loadPackageDefinition(loadSync(PROTO, { keepCase: true }));
const SDS = join(__dirname, "../../src/workload/envoy/sds.proto");
const { SecretDiscoveryService } = grpc.loadPackageDefinition(loadSync(SDS)).envoy.service.secret.v3;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/;
const metadata = new grpc.Metadata();
metadata.set("workload.spiffe.io", "true");
let audiences = 0;

function say(kind, serial, keyHash = null) {
  process.stdout.write(`${JSON.stringify({ kind, serial, keyHash })}\n`);
}

function sayCertificate(kind, certificate) {
  const { serialNumber, publicKey } = new X509Certificate(certificate);
  const spki = publicKey.export({ format: "der", type: "spki" });
  say(kind, serialNumber.toLowerCase(), `sha256:${hash("sha256", spki)}`);
}

function askX509(client) {
  return new Promise((resolve) => {
    const stream = client.FetchX509SVID({}, metadata);
    stream.on("data", ({ svids }) => {
      for (const svid of svids) sayCertificate("x509", svid.x509_svid);
      stream.cancel();
    });
    stream.on("error", () => {});
    stream.on("status", resolve);
  });
}

function askJwt(client) {
  return new Promise((resolve) => {
    // Another each time: what was granted for one is kept.
    audiences += 1;
    client.FetchJWTSVID({ audience: [`db-${process.pid}-${audiences}`] }, metadata, (_error, answer) => {
      for (const { svid } of answer?.svids ?? []) {
        say("jwt", JSON.parse(Buffer.from(svid.split(".")[1], "base64url").toString()).jti);
      }
      resolve();
    });
  });
}

/** As Envoy asks. */
function askSecrets(client) {
  return new Promise((resolve) => {
    const stream = client.StreamSecrets();
    stream.on("data", ({ resources: [secret] }) => {
      const [pem] = secret.value.toString("latin1").match(CERTIFICATE);
      sayCertificate("sds", pem);
      stream.cancel();
    });
    stream.on("error", () => {});
    stream.on("status", resolve);
    stream.write({ resourceNames: ["default"] });
  });
}

async function ask() {
  for (;;) {
    const client = new SpiffeWorkloadAPI(`unix:${process.argv[2]}`, grpc.credentials.createInsecure());
    await askX509(client);
    await askJwt(client);
    client.close();
    const proxy = new SecretDiscoveryService(`unix:${process.argv[2]}`, grpc.credentials.createInsecure());
    await askSecrets(proxy);
    proxy.close();
    await sleep(10);
  }
}
for (let i = 0; i < ASKERS; i += 1) ask();
