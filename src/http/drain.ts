import { setTimeout as sleep } from "node:timers/promises";
import { type CloseServer, closeInOrder } from "../close-server.ts";
import { VouchsafeError } from "../errors.ts";
import type { Vouchsafe } from "../services/context.ts";
import type { App } from "./app.ts";

declare module "fastify" {
  interface FastifyInstance {
    /** Has another server of the same routes closed with the app, before what they need is. */
    closeWithDoors(close: () => Promise<void>): void;
    readonly closeServer: CloseServer;
  }
}

/** For how long a further signal is the same one, in milliseconds: timeout(1), npm and terminals send one to a process and to its group. */
const SAME_SIGNAL = 1_000;

/**
 * Ends the process in order: GET /readyz says so first, for as long as a load balancer takes to look (`VOUCHSAFE_DRAIN_DELAY`),
 * while everything else is answered as ever; then no new connections, streams end with the word to go elsewhere, requests
 * under way are answered (their events committed), and the writer and the database are closed. Whoever has not ended by then
 * is cut off; a second signal, later, ends at once.
 * Nothing depends on a clean end: what was acknowledged is committed, as after a crash.
 */
export function drainOnSignal(app: App, v: Vouchsafe): void {
  let drainingSince: number | undefined;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      const now = performance.now();
      if (drainingSince === undefined) {
        drainingSince = now;
        void drain(app, v, signal);
      } else if (now - drainingSince > SAME_SIGNAL) process.exit(1);
    });
  }
}

async function drain(app: App, v: Vouchsafe, signal: string): Promise<void> {
  try {
    const { drainDelay } = v.config;
    v.logger.info({ signal, delay: drainDelay / 1000 }, "draining");
    v.obstacles.set("drain", new VouchsafeError("unavailable", "The node is shutting down"));
    await sleep(drainDelay);
    await closeDoors(app);
    await v.close();
    await v.tracing?.close();
    process.exitCode = 0;
  } catch (error) {
    v.logger.error({ err: error }, "drain failed");
    process.exitCode = 1;
  } finally {
    process.exit();
  }
}

/** To be called before the app is ready. */
export function closeDoorsInOrder(app: App): void {
  const doors: (() => Promise<void>)[] = [];
  let closing: Promise<unknown> = Promise.resolve();
  app.decorate("closeServer", closeInOrder(app.server));
  app.decorate("closeWithDoors", (close) => void doors.push(close));
  // All stop listening at once, and the app is closed when all are.
  app.addHook("preClose", async () => {
    closing = Promise.all(doors.map((close) => close()));
  });
  app.addHook("onClose", async () => void (await closing));
}

/** Resolves when the requests under way are answered, or cut off. */
export async function closeDoors(app: App): Promise<void> {
  await app.closeServer(() => app.close());
}
