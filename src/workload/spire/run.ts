import { serveGoPlugin } from "./go-plugin.ts";
import { createHclog } from "./hclog.ts";
import { workloadAttestor } from "./workload-attestor.ts";

/** The type of plugin, which is its cookie too. */
const COOKIE = "WorkloadAttestor";

/**
 * Runs as a SPIRE agent's WorkloadAttestor plugin until SPIRE ends it.
 *
 * @throws VouchsafeError `configuration-invalid` where it was not SPIRE that started this process
 */
export async function runSpirePlugin(): Promise<void> {
  const ending = new AbortController();
  process.once("SIGTERM", () => ending.abort());
  // Meant for SPIRE in the same terminal, which ends its plugins itself.
  process.on("SIGINT", () => {});
  const log = createHclog((line) => process.stderr.write(line));
  await serveGoPlugin({
    environment: process.env,
    cookie: COOKIE,
    routes: workloadAttestor({ log }),
    announce: (line) => process.stdout.write(line),
    signal: ending.signal,
  });
}
