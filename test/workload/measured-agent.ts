import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Digest } from "../../src/in-toto-attestation/types.ts";
import { endWithParent } from "../support/child.ts";

export interface AgentMeasures {
  /** Bytes, after a collection of garbage: what the system gave the process, which it hardly ever gives back. */
  readonly rss: number;
  /** Bytes of what is still in use. */
  readonly held: number;
  /** Milliseconds of this process so far. */
  readonly cpu: number;
  /** Grants so far. */
  readonly granted: number;
}

export interface ToLocalAgent {
  readonly approve?: readonly Digest[];
  readonly touch?: readonly Digest[];
  readonly end?: boolean;
}

/** `local-agent.ts` as a child. */
export async function startMeasuredAgent(socket: string) {
  const child = fork(fileURLToPath(new URL("local-agent.ts", import.meta.url)), [socket], {
    execArgv: ["--expose-gc"],
  });
  endWithParent(child);
  await once(child, "message");
  return {
    async ask(message: ToLocalAgent): Promise<AgentMeasures> {
      child.send(message);
      const [measures] = await once(child, "message");
      return measures;
    },
    async close(): Promise<void> {
      const ended = once(child, "exit");
      child.send({ end: true } satisfies ToLocalAgent);
      await ended;
    },
  };
}
