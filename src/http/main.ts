import { readConfig } from "../config.ts";
import { VouchsafeError } from "../errors.ts";
import { openVouchsafe } from "../services/open.ts";
import { createApp } from "./app.ts";
import { banner } from "./banner.ts";
import { drainOnSignal } from "./drain.ts";

/**
 * `npm start`: open the node, listen, and drain on SIGTERM or SIGINT.
 *
 * A start that fails says why in one sentence and ends with status 1; what was half open is closed by ending.
 */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  const v = await openVouchsafe(config);
  const app = await createApp(v);
  await app.listen({ host: config.host, port: config.port });
  console.log(banner(v, app.listeningOrigin));
  drainOnSignal(app, v);
}

try {
  await main();
} catch (error) {
  const isOurs = error instanceof VouchsafeError;
  console.error(isOurs ? `vouchsafe: ${error.code}: ${error.message}` : error);
  process.exit(1);
}
