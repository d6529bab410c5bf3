import type { Vouchsafe } from "../services/context.ts";
import type { App } from "./app.ts";

/** How long requests under way may take to end after the signal, in milliseconds. */
const GRACE = 10_000;

/**
 * Ends the process in order: no new connections, requests under way are answered (their events committed), then
 * the writer and the database are closed. Whoever has not ended by then is cut off; a second signal ends at once.
 * Nothing depends on a clean end: what was acknowledged is committed, as after a crash.
 */
export function drainOnSignal(app: App, v: Vouchsafe): void {
  let draining = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (draining) process.exit(1);
      draining = true;
      void drain(app, v);
    });
  }
}

async function drain(app: App, v: Vouchsafe): Promise<void> {
  const cutOff = setTimeout(() => app.server.closeAllConnections(), GRACE);
  try {
    await app.close();
    await v.close();
    process.exitCode = 0;
  } catch (error) {
    app.log.error({ err: error }, "drain failed");
    process.exitCode = 1;
  } finally {
    clearTimeout(cutOff);
    process.exit();
  }
}
