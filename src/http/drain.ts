import type { Vouchsafe } from "../services/context.ts";
import type { App } from "./app.ts";

/** How long requests under way may take to end after the signal, in milliseconds. */
const GRACE = 10_000;
/** How often connections are looked for that have become idle meanwhile, in milliseconds. */
const SWEEP = 50;

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
  try {
    await closeDoors(app);
    await v.close();
    process.exitCode = 0;
  } catch (error) {
    app.log.error({ err: error }, "drain failed");
    process.exitCode = 1;
  } finally {
    process.exit();
  }
}

/** Resolves when the requests under way are answered, or cut off. */
export async function closeDoors(app: App): Promise<void> {
  const cutOff = setTimeout(() => app.server.closeAllConnections(), GRACE);
  // Closing ends only the connections that are idle then: one that is answered later would be kept alive.
  const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP);
  try {
    await app.close();
  } finally {
    clearTimeout(cutOff);
    clearInterval(sweep);
  }
}
