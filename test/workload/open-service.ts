import type { AttestedWorkload } from "../../src/workload/attested-workload.ts";
import { openBundleKeeper } from "../../src/workload/bundle-keeper.ts";
import { type CallLogEntry, callerContext, openCalls } from "../../src/workload/calls.ts";
import { openChangeFeed } from "../../src/workload/change-feed.ts";
import { secretDiscovery } from "../../src/workload/envoy/secret-discovery.ts";
import { openHoldings } from "../../src/workload/holdings.ts";
import type { IdentitySource } from "../../src/workload/identity-source.ts";
import { gated } from "../../src/workload/request-gate.ts";
import { serveSocket } from "../../src/workload/socket.ts";
import { requireSecurityHeader, workloadApi } from "../../src/workload/workload-api.ts";

/** An agent but for the kernel's word: who calls is what the test says. */
export async function openService(
  path: string,
  upstream: IdentitySource,
  attest: () => AttestedWorkload,
  log: (entry: CallLogEntry) => void = () => {},
) {
  const source = gated(upstream);
  const { random } = Math;
  const clock = Date.now;
  const feed = openChangeFeed({ source, onFailure: () => {}, random });
  const holdings = openHoldings({ source, feed, clock, random });
  const bundles = openBundleKeeper({ source, feed, clock, onChange: holdings.bundleChanged, random });
  const served = { holdings, bundles, clock, calls: openCalls(log) };
  const stopping = new AbortController();
  const socket = await serveSocket({
    path,
    openPeer: async () => ({ pid: 1, uid: 0, attest: async () => attest(), close: () => {} }),
    routes: (router) => {
      workloadApi(served)(router);
      secretDiscovery(served)(router);
    },
    interceptors: [requireSecurityHeader],
    contextOf: callerContext,
    signal: stopping.signal,
    onRefused: () => {},
  });
  return {
    holdings,
    async close() {
      stopping.abort();
      holdings.close();
      await Promise.all([feed.close(), bundles.close()]);
      await socket.close();
    },
  };
}
