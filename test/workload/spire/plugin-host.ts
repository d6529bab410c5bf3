import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Client, credentials } from "@grpc/grpc-js";
import { loadSync, type MethodDefinition } from "@grpc/proto-loader";
import { bareEnvironment } from "../../cli/server.ts";
import { endChild, endWithParent } from "../../support/child.ts";

/** How SPIRE's agent tells a plugin that it is one that runs it. */
export const HOST = { WorkloadAttestor: "WorkloadAttestor", PLUGIN_PROTOCOL_VERSIONS: "1" };
export const MAIN = fileURLToPath(new URL("../../../src/workload/spire/main.ts", import.meta.url));

const PROTOS = join(dirname(MAIN), "proto");
const DEFINITIONS = loadSync(
  ["go_plugin", "health", "init", "config", "workloadattestor"].map((name) => join(PROTOS, `${name}.proto`)),
  { keepCase: true, defaults: true },
);

/** The host's side of go-plugin, with another maker's gRPC, and a plugin in a process of its own. */
export type PluginHost = Awaited<ReturnType<typeof startPlugin>>;

/** @param program run by this Node; the plugin's source unless named */
export async function startPlugin(program = MAIN) {
  const child = spawn(process.execPath, [program], {
    env: { ...bareEnvironment(), ...HOST },
    stdio: ["ignore", "pipe", "pipe"],
  });
  endWithParent(child);
  let stdout = "";
  const logged: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  createInterface({ input: child.stderr }).on("line", (line) => logged.push(line));
  const ended = once(child, "exit");
  await Promise.race([once(child.stdout, "data"), ended]);
  const path = stdout.split("|")[3] ?? assert.fail(`it is no plugin: ${stdout}${logged}`);
  const client = new Client(`unix:${path}`, credentials.createInsecure());

  return {
    socket: path,
    pid: child.pid ?? 0,
    stdout: () => stdout,
    /** What came to stderr, a line each. */
    logged,
    /** Throws grpc-js's errors, with `code`. @param method `package.Service/Method` */
    call(method: string, request: object = {}): Promise<Record<string, unknown>> {
      const { path, requestSerialize, responseDeserialize } = methodOf(method);
      return new Promise((resolve, reject) => {
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) =>
          error === null ? resolve(answer as Record<string, unknown>) : reject(error),
        );
      });
    },
    /** Opens the streams that a host of go-plugin opens at once, and says when they have ended. */
    openStreams() {
      const broker = methodOf("plugin.GRPCBroker/StartStream");
      const stdio = methodOf("plugin.GRPCStdio/StreamStdio");
      const brokered = client.makeBidiStreamRequest(
        broker.path,
        broker.requestSerialize,
        broker.responseDeserialize,
      );
      brokered.write({ service_id: 1, network: "unix", address: "/nowhere" });
      const streams = [
        brokered,
        client.makeServerStreamRequest(stdio.path, stdio.requestSerialize, stdio.responseDeserialize, {}),
      ];
      let open = streams.length;
      for (const stream of streams) {
        stream
          .on("data", () => {})
          .on("error", () => {})
          .once("close", () => {
            open -= 1;
          });
      }
      return { open: () => open };
    },
    /** As SPIRE ends a plugin. @returns its exit code */
    async shutdown(): Promise<number | null> {
      await this.call("plugin.GRPCController/Shutdown");
      await ended;
      client.close();
      return child.exitCode;
    },
    async kill(): Promise<void> {
      client.close();
      await endChild(child, "SIGKILL");
    },
  };
}

function methodOf(name: string): MethodDefinition<object, object> {
  const [service = "", method = ""] = name.split("/");
  const found = (DEFINITIONS[service] as Record<string, MethodDefinition<object, object>>)[method];
  return found ?? assert.fail(`${name} is not in the protos`);
}
