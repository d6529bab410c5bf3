import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  loadPackageDefinition,
  type Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const PROTO = fileURLToPath(new URL("../../../src/workload/attestors/proto", import.meta.url));

/** What a test's runtime answers to a method; an error of gRPC where it throws one. */
export type Method = (request: Record<string, unknown>, metadata: Record<string, string>) => unknown;

export interface GrpcServer {
  /** `Service.method` of each call, in order. */
  readonly called: string[];
  close(): void;
}

export function grpcError(code: keyof typeof status, details = ""): Error {
  return Object.assign(new Error(details), { code: status[code], details });
}

/**
 * Serves methods of the agent's own proto files with another maker's gRPC, on a unix socket.
 *
 * @param methods by the file and the method: `cri.containerStatus`. One that answers a list streams its members.
 */
export async function serveGrpc(
  socketPath: string,
  methods: Readonly<Record<string, Method>>,
): Promise<GrpcServer> {
  const server = new Server();
  const called: string[] = [];
  const files = Map.groupBy(Object.entries(methods), ([name]) => name.split(".")[0] ?? "");
  for (const [file, named] of files) {
    const definition = loadSync(join(PROTO, `${file}.proto`), { longs: Number });
    const service = serviceIn(loadPackageDefinition(definition));
    const implementation: UntypedServiceImplementation = {};
    for (const [name, method] of named) {
      const answerTo = async (request: object, metadata: Metadata) => {
        called.push(name);
        return method(request as Record<string, unknown>, metadata.getMap() as Record<string, string>);
      };
      const unary: handleUnaryCall<object, unknown> = ({ request, metadata }, callback) => {
        void answerTo(request, metadata).then((value) => callback(null, value), callback);
      };
      const streaming: handleServerStreamingCall<object, unknown> = (call) => {
        void answerTo(call.request, call.metadata).then(
          (pieces) => {
            for (const piece of pieces as unknown[]) call.write(piece);
            call.end();
          },
          (error) => call.emit("error", error),
        );
      };
      const own = name.split(".")[1] ?? "";
      implementation[own] = service[`${own[0]?.toUpperCase()}${own.slice(1)}`]?.responseStream
        ? streaming
        : unary;
    }
    server.addService(service, implementation);
  }
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return { called, close: () => server.forceShutdown() };
}

/** The one service of a file, wherever its package puts it. */
function serviceIn(tree: object): ServiceDefinition {
  for (const value of Object.values(tree)) {
    if (typeof value === "function" && "service" in value) return value.service;
    if (typeof value === "object" && value !== null && !("format" in value)) return serviceIn(value);
  }
  throw new Error("the proto file has no service");
}
