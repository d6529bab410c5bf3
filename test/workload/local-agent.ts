/** An agent of a source within it, as a process whose memory and time can be measured: `node --expose-gc THIS socket`. */
import { openAgent } from "../../src/workload/agent.ts";
import { openLocalSource } from "./local-source.ts";
import type { AgentMeasures, ToLocalAgent } from "./measured-agent.ts";

const [, , socketPath = ""] = process.argv;
const source = await openLocalSource();
const agent = await openAgent({ socketPath, source, log: () => {} });

function measure(): AgentMeasures {
  globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, held: heapUsed + external, cpu: (user + system) / 1000, granted: source.granted.length };
}

process.on("message", async ({ approve, touch, end }: ToLocalAgent) => {
  for (const digest of approve ?? []) source.approve(digest);
  for (const digest of touch ?? []) source.touch(digest);
  if (end === true) {
    await agent.close();
    await source.remove();
    process.disconnect();
    return;
  }
  process.send?.(measure());
});
process.send?.(measure());
