import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createInterface } from "node:readline";
import { endChild, endWithParent } from "../support/child.ts";

/** What a widget tells: test/demo/workload.cjs. */
export type WidgetEvent =
  | { readonly event: "svid"; readonly spiffeId: string }
  | { readonly event: "greeted"; readonly answer: string }
  | { readonly event: "not greeted"; readonly reason: string }
  | { readonly event: "refused"; readonly code: number | string; readonly reason: string };

/** A widget that runs. */
export interface WidgetProcess {
  readonly pid: number;
  /** Everything that it told so far. */
  readonly told: readonly WidgetEvent[];
  /** Resolves with the first event of this kind, told already or yet to come; throws when it ends without one. */
  event<K extends WidgetEvent["event"]>(kind: K): Promise<Extract<WidgetEvent, { event: K }>>;
  stop(): Promise<void>;
}

export interface WidgetSettings {
  readonly socket: string;
  readonly peer: { readonly address: string; readonly authority: string };
}

/** Starts the executable with nothing in its environment but where its socket and its peer are. */
export function runWidget(path: string, { socket, peer }: WidgetSettings): WidgetProcess {
  const child = spawn(path, {
    env: {
      SPIFFE_ENDPOINT_SOCKET: `unix://${socket}`,
      PEER: peer.address,
      PEER_AUTHORITY: peer.authority,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  endWithParent(child);
  const told: WidgetEvent[] = [];
  const news = new EventEmitter();
  let ended = false;
  createInterface({ input: child.stdout }).on("line", (line) => {
    told.push(JSON.parse(line) as WidgetEvent);
    news.emit("news");
  });
  child.once("close", () => {
    ended = true;
    news.emit("news");
  });
  return {
    pid: child.pid ?? 0,
    told,
    async event(kind) {
      for (;;) {
        const found = told.find(({ event }) => event === kind);
        if (found) return found as never;
        if (ended) throw new Error(`the widget ended without "${kind}": ${JSON.stringify(told)}`);
        await once(news, "news");
      }
    },
    stop: () => endChild(child),
  };
}
