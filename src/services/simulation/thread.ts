import { parentPort, workerData } from "node:worker_threads";
import { loadPolicySet, type PolicyFile } from "../../policy/load.ts";
import { changeOf, editsBetween } from "../../policy/simulate.ts";
import { judgeBatch, type SimulationBatch, type SimulationTerms } from "./simulate-batch.ts";

/** What a thread is started with. It loads the policies by itself: what they compile to does not cross threads. */
export interface ThreadData extends Omit<SimulationTerms, "edits"> {
  readonly before: readonly PolicyFile[];
  readonly after: readonly PolicyFile[];
}

const { before, after, ...terms }: ThreadData = workerData;
const edits = editsBetween(loadPolicySet(before).policies, loadPolicySet(after).policies).filter(
  (edit) => changeOf(edit) !== "unchanged",
);

parentPort?.on("message", (batch: SimulationBatch) => {
  parentPort?.postMessage(judgeBatch({ edits, ...terms }, batch));
});
