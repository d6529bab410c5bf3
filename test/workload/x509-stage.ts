import { mock } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { parseTrustDomain } from "../../src/identity/spiffe-id.ts";
import type { TrustBundle } from "../../src/identity/trust-bundle.ts";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import type { Peer } from "../../src/workload/attest.ts";
import type { AttestedWorkload } from "../../src/workload/attested-workload.ts";
import type { BundleKeeper } from "../../src/workload/bundle-keeper.ts";
import type { ChangeFeed } from "../../src/workload/change-feed.ts";
import { openHoldings } from "../../src/workload/holdings.ts";
import type { IdentitySource } from "../../src/workload/identity-source.ts";
import { type X509Update, x509Updates } from "../../src/workload/x509-updates.ts";
import { settle } from "./settle.ts";

const DIGEST = sha256("widget");
export const TTL = 600_000;
export const WIDGET: AttestedWorkload = {
  pid: 1,
  selectors: ["unix:uid:1"],
  components: { executable: [DIGEST] },
};

export type Answer = "grant" | "identity-denied" | "unavailable" | "hang";
export type Update = X509Update & { readonly serials: readonly string[] };

/** A source that answers as it is told, a feed of what it is told to tell, and a clock that moves by `pass` alone. */
export function stage(t: { after(end: () => void): void }, { random = 0.5 } = {}) {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
  t.after(() => mock.timers.reset());
  const answers: Answer[] = [];
  const renewed: (readonly string[])[] = [];
  const times: number[] = [];
  const followers = new Set<() => void>();
  let granted = 0;
  const answer = async () => {
    const answer = answers.shift() ?? "grant";
    if (answer === "hang") return new Promise<never>(() => {});
    if (answer !== "grant") throw new VouchsafeError(answer, "as it was told");
    granted += 1;
  };
  const source = {
    async fetchX509(_workload, _csr, renews) {
      times.push(Date.now());
      await answer();
      renewed.push(renews);
      const svids = ["spiffe://a/b", "spiffe://a/c"].map((spiffeId, i) => {
        return { spiffeId, serial: `${granted}${i}`, chain: [], expiresAt: Date.now() + TTL };
      });
      return { svids, authorities: [] };
    },
    async fetchJwt() {
      await answer();
      return [{ spiffeId: "spiffe://a/b", token: `token ${granted}`, expiresAt: Date.now() + TTL }];
    },
  } as Partial<IdentitySource> as IdentitySource;
  const feed: ChangeFeed = {
    follow(_digests, onTouched) {
      followers.add(onTouched);
      return () => followers.delete(onTouched);
    },
    close: async () => {},
  };
  let bundle: TrustBundle = {
    trustDomain: parseTrustDomain("a"),
    x509Authorities: [],
    jwtAuthorities: new Map(),
  };
  const bundles = {
    including: async () => bundle,
    federatedFor: async () => [],
  } as Partial<BundleKeeper> as BundleKeeper;
  const holdings = openHoldings({ source, feed, clock: Date.now, random: () => random });
  const ending = new AbortController();
  t.after(() => {
    ending.abort();
    holdings.close();
  });

  /** What a stream of this process was given so far, and how it ended. */
  function stream(attest: () => AttestedWorkload = () => WIDGET) {
    const peer: Peer = { pid: 1, uid: 0, attest: async () => attest(), close: () => {} };
    const updates: Update[] = [];
    let end: string | undefined;
    const run = async () => {
      for await (const update of x509Updates(peer, { holdings, bundles, clock: Date.now }, ending.signal)) {
        updates.push({ ...update, serials: update.grants.svids.map(({ serial }) => serial) });
      }
    };
    run().catch((error) => {
      end = error.code;
    });
    return {
      updates,
      serials: () => updates.map(({ serials }) => serials[0]),
      end: () => end,
    };
  }

  return {
    answers,
    renewed,
    times,
    holdings,
    followers,
    stream,
    settle,
    async pass(milliseconds: number, step = milliseconds) {
      for (let passed = 0; passed < milliseconds; passed += step) {
        mock.timers.tick(step);
        await settle();
      }
    },
    async touch() {
      for (const tell of followers) tell();
      await settle();
    },
    async changeBundle() {
      bundle = { ...bundle };
      holdings.bundleChanged(bundle);
      await settle();
    },
  };
}
