import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { JudgedBatch, SimulationBatch } from "./simulate-batch.ts";
import type { ThreadData } from "./thread.ts";

/** Threads that judge batches, each one at a time. */
export interface SimulationThreads {
  /** Batches that it makes sense to have under way: more would only wait. */
  readonly atOnce: number;
  judge(batch: SimulationBatch): Promise<JudgedBatch>;
  /** Ends them at once. Whoever waits for a batch is refused. */
  close(): Promise<void>;
}

/** Beside this module, whether it runs as it was written or compiled. */
const THREAD = new URL(`./thread${extname(import.meta.url)}`, import.meta.url);

/** What a batch leaves is collected early: left alone, each thread would let a few hundred megabytes of it lie. */
const LIMITS = { maxYoungGenerationSizeMb: 32 };

/** Attestations for which one more thread is worth its start. */
const EACH = 2_000;

/** @param attestations how many there are to judge */
export function startSimulationThreads(data: ThreadData, attestations: number): SimulationThreads {
  const wanted = Math.min(availableParallelism(), Math.ceil(attestations / EACH));
  const threads = Array.from({ length: wanted }, () => startThread(data));
  return {
    // One waits at each thread, so that none is ever idle.
    atOnce: 2 * threads.length,
    judge(batch) {
      const [idlest] = threads.toSorted((a, b) => a.waiting() - b.waiting());
      if (idlest === undefined) throw new RangeError("there is no thread");
      return idlest.judge(batch);
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

function startThread(data: ThreadData) {
  const worker = new Worker(THREAD, { workerData: data, resourceLimits: LIMITS });
  const waiting: PromiseWithResolvers<JudgedBatch>[] = [];
  let ended: Error | undefined;
  const end = (cause: Error) => {
    ended ??= cause;
    for (const { reject } of waiting.splice(0)) reject(ended);
  };
  worker.on("message", (judged: JudgedBatch) => waiting.shift()?.resolve(judged));
  worker.on("error", end);
  worker.on("exit", () => end(new Error("the thread has ended")));
  return {
    waiting: () => waiting.length,
    judge(batch: SimulationBatch): Promise<JudgedBatch> {
      if (ended !== undefined) return Promise.reject(ended);
      const answer = Promise.withResolvers<JudgedBatch>();
      waiting.push(answer);
      worker.postMessage(batch);
      return answer.promise;
    },
    async close() {
      await worker.terminate();
    },
  };
}
