/**
 * Imported into each process of tests, as node's own timeouts end tests and not what a test left open: has one that goes on for too
 * long say what it waits for, and one fail that ends before its tests do, for want of anything to wait for.
 */
import { after } from "node:test";
import { isMainThread } from "node:worker_threads";
import { PROCESS_TIMEOUT_MS } from "./patience.ts";

// Threads that are tested import what their process imports.
if (isMainThread) {
  setTimeout(giveUp, PROCESS_TIMEOUT_MS).unref();
  let isComplete = false;
  after(() => {
    isComplete = true;
  });
  process.on("exit", () => {
    if (isComplete) return;
    console.error(`Ended before its tests: ${process.argv[1]}`);
    process.exitCode = 1;
  });
}

function giveUp(): void {
  console.error(`Still there after ${PROCESS_TIMEOUT_MS / 1000} s: ${process.argv[1]}`);
  console.error(`What it waits for: ${process.getActiveResourcesInfo().join(", ")}`);
  process.exit(1);
}
