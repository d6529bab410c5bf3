import { createPeerOpener } from "./attest.ts";
import type { Attestor } from "./attestors/attestor.ts";
import { type AttestorLogEntry, reported } from "./attestors/reported.ts";
import { unixAttestor } from "./attestors/unix.ts";
import { openBundleKeeper } from "./bundle-keeper.ts";
import { type CallLogEntry, callerContext, openCalls } from "./calls.ts";
import { openChangeFeed } from "./change-feed.ts";
import { secretDiscovery } from "./envoy/secret-discovery.ts";
import { createFileReader } from "./files/component-files.ts";
import { openHoldings } from "./holdings.ts";
import type { IdentitySource } from "./identity-source.ts";
import { openKernel } from "./kernel.ts";
import { attestFiles } from "./registrations.ts";
import { gated } from "./request-gate.ts";
import { serveSocket } from "./socket.ts";
import { requireSecurityHeader, workloadApi } from "./workload-api.ts";

export interface AgentOptions {
  /** Where workloads find the Workload API. */
  readonly socketPath: string;
  readonly source: IdentitySource;
  /** Beside that of the host's programs; closed with the agent. */
  readonly attestors?: readonly Attestor[];
  /** See `PeerOptions`. */
  readonly allowMissingPidfd?: boolean;
  readonly log: (entry: AgentLogEntry) => void;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  /** From 0 to 1, for jitter. */
  readonly random?: () => number;
}

export type AgentLogEntry =
  | AttestorLogEntry
  | CallLogEntry
  | { readonly event: "connection refused"; readonly reason: string }
  | { readonly event: "source unavailable"; readonly reason: string };

export interface Agent {
  /** Ends every stream and connection, and removes the socket. */
  close(): Promise<void>;
}

/** Serves the SPIFFE Workload API to the processes of this host. Keys are in memory only. */
export async function openAgent(options: AgentOptions): Promise<Agent> {
  const { socketPath, attestors = [], allowMissingPidfd = false, log } = options;
  const { clock = Date.now, random = Math.random } = options;
  const source = gated(options.source);
  const stopping = new AbortController();
  const onFailure = (error: unknown) => log({ event: "source unavailable", reason: textOf(error) });
  const feed = openChangeFeed({ source, onFailure, random });
  const filesOf = attestFiles(source, feed, createFileReader());
  const holdings = openHoldings({ source, feed, clock, random });
  const bundles = openBundleKeeper({ source, feed, clock, onChange: holdings.bundleChanged, random });
  const served = { holdings, bundles, clock, calls: openCalls(log) };
  const close = async () => {
    stopping.abort();
    holdings.close();
    await Promise.all([feed.close(), bundles.close()]);
    for (const attestor of attestors) attestor.close?.();
  };
  try {
    const socket = await serveSocket({
      path: socketPath,
      openPeer: createPeerOpener({
        kernel: openKernel(),
        attestors: [unixAttestor(), ...attestors.map((attestor) => reported(attestor, log))],
        filesOf,
        allowMissingPidfd,
      }),
      routes: (router) => {
        workloadApi(served)(router);
        secretDiscovery(served)(router);
      },
      interceptors: [requireSecurityHeader],
      contextOf: callerContext,
      signal: stopping.signal,
      onRefused: (error) => log({ event: "connection refused", reason: textOf(error) }),
    });
    return {
      async close() {
        await close();
        await socket.close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
