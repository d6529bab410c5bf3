import { parseArgs } from "node:util";
import { type Config, readConfig } from "../config/config.ts";
import { VouchsafeError } from "../errors.ts";
import { createLog, type Log } from "../log.ts";
import { reloadPolicies } from "../services/activation/reload-policies.ts";
import type { Vouchsafe } from "../services/context.ts";
import { openVouchsafe } from "../services/open.ts";
import { openTracing } from "../services/telemetry/tracing.ts";
import { type App, createApp } from "./app.ts";
import { banner, startLine } from "./banner.ts";
import { openBundleEndpoint } from "./bundle-endpoint.ts";
import { drainOnSignal } from "./drain.ts";
import { openMetricsEndpoint } from "./metrics-endpoint.ts";
import { openMtlsEndpoint } from "./mtls-endpoint.ts";
import { startProblem } from "./start-problem.ts";

/** `npm start`: open the node, listen, say what to do next, and drain on SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const config = readConfig(withConfigFile(process.env, process.argv.slice(2)));
  const tracing = await openTracing(process.env);
  const logger = createLog({ level: config.logLevel, ...(tracing && { context: tracing.ids }) });
  // Whoever read the log may be gone; the node goes on.
  process.stdout.on("error", () => undefined);
  endOnMistakes(logger);
  const v = await openVouchsafe(config, { logger, tracing });
  try {
    const app = await createApp(v);
    await listen(app, config);
    await openEndpoint(app, v);
    await openMtls(app, v);
    await openMetrics(app, v);
    drainOnSignal(app, v);
    reloadOnSignal(v);
    // Last: whoever reads it may send a signal at once, which would end the process where nothing waits for it.
    tellStart(v, app.listeningOrigin);
  } catch (error) {
    await v.close();
    throw error;
  }
}

/** @throws VouchsafeError `configuration-invalid` for any other argument than `--config FILE` */
function withConfigFile(env: NodeJS.ProcessEnv, args: string[]): NodeJS.ProcessEnv {
  try {
    const { config } = parseArgs({ args, options: { config: { type: "string" } } }).values;
    return config === undefined ? env : { ...env, VOUCHSAFE_CONFIG: config };
  } catch (cause) {
    throw new VouchsafeError("configuration-invalid", "the server takes no argument but --config FILE", {
      cause,
    });
  }
}

/** A person at a terminal reads what to try next; everything else reads lines. Both wait for this one, whatever the level. */
function tellStart(v: Vouchsafe, origin: string): void {
  if (process.stdout.isTTY) process.stdout.write(`${banner(v, origin)}\n`);
  else process.stdout.write(startLine(v, origin));
}

/** What nobody caught is a mistake of ours, after which nothing in this process can be relied on. */
function endOnMistakes(logger: Log): void {
  process.on("uncaughtException", (error) => {
    logger.fatal({ err: error }, "this should not have happened: the process ends");
    process.exit(1);
  });
}

/** SIGHUP has the policy directory read again, as daemons have their configuration. What comes of it is reported. */
function reloadOnSignal(v: Vouchsafe): void {
  process.on("SIGHUP", () => {
    v.background(async () => void (await reloadPolicies(v)));
  });
}

async function listen(app: App, { host, port }: Config): Promise<void> {
  await orUnusable(`HOST ${host} and PORT ${port}`, app.listen({ host, port }));
}

/** The trust bundle's own door, which is closed with the others. */
async function openEndpoint(app: App, v: Vouchsafe): Promise<void> {
  const { host, bundleEndpointPort: port } = v.config;
  if (port === undefined) return;
  const opening = openBundleEndpoint(v, { host, port });
  const endpoint = await orUnusable(`HOST ${host} and VOUCHSAFE_BUNDLE_ENDPOINT_PORT ${port}`, opening);
  app.closeWithDoors(endpoint.close);
}

/** The same doors by TLS, for callers that show a certificate. */
async function openMtls(app: App, v: Vouchsafe): Promise<void> {
  const { host, mtlsPort: port } = v.config;
  if (port === undefined) return;
  await orUnusable(`HOST ${host} and VOUCHSAFE_MTLS_PORT ${port}`, openMtlsEndpoint(app, v, { host, port }));
}

/** Prometheus' own door. It stays open while the others close: what a node does at its end is seen too. */
async function openMetrics(app: App, v: Vouchsafe): Promise<void> {
  const { host, metricsPort: port } = v.config;
  if (port === undefined) return;
  const opening = openMetricsEndpoint(v, { host, port });
  const endpoint = await orUnusable(`HOST ${host} and VOUCHSAFE_METRICS_PORT ${port}`, opening);
  app.server.once("close", () => void endpoint.close());
}

async function orUnusable<T>(what: string, listening: Promise<T>): Promise<T> {
  try {
    return await listening;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new VouchsafeError("configuration-invalid", `${what} cannot be listened on: ${why}`, { cause });
  }
}

try {
  await main();
} catch (error) {
  // A mistake of ours shows its stack; what an operator can mend is one sentence, or the place of each mistake.
  console.error(error instanceof VouchsafeError ? startProblem(error) : error);
  process.exit(1);
}
