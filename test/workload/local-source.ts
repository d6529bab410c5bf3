import { randomBytes, randomUUID, X509Certificate } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VouchsafeError } from "../../src/errors.ts";
import { parseCsr } from "../../src/identity/csr.ts";
import { createJwtMinter } from "../../src/identity/jwt-svid.ts";
import { parseTrustDomain, spiffeId } from "../../src/identity/spiffe-id.ts";
import type { TrustBundle } from "../../src/identity/trust-bundle.ts";
import { createX509Minter, serialFrom } from "../../src/identity/x509-svid.ts";
import type { Digest } from "../../src/in-toto-attestation/types.ts";
import { type AttestedWorkload, digestsOf } from "../../src/workload/attested-workload.ts";
import type { IdentitySource } from "../../src/workload/identity-source.ts";
import { testAuthority } from "../identity/trust-domain.ts";

/** What was asked of the source and granted. */
export interface Granted {
  readonly workload: AttestedWorkload;
  readonly serial: string;
  readonly renews: readonly string[];
}

/** A source within this process: a real authority that grants what a test approved. */
export interface LocalSource extends IdentitySource {
  readonly granted: readonly Granted[];
  /** Every workload that was asked about, in order. */
  readonly asked: readonly AttestedWorkload[];
  /** Grants to what runs this digest, and has this selector where one is named. */
  approve(digest: Digest, selector?: string): void;
  /** Denies from now on, and tells whoever watches. */
  quarantine(digest: Digest): void;
  /** Tells whoever watches that a digest was touched, as any event does. */
  touch(digest: Digest): void;
  /** Lets workloads believe another trust domain; those of this selector, where one is named. */
  federate(bundle: TrustBundle, selector?: string): void;
  /** Answers nothing until it is called with false. */
  goAway(away: boolean): void;
  remove(): Promise<void>;
}

export async function openLocalSource({ ttl = 600_000 } = {}): Promise<LocalSource> {
  const dataDir = await mkdtemp(join(tmpdir(), "vouchsafe-source-"));
  const trustDomain = parseTrustDomain("test.example");
  const authority = testAuthority(trustDomain, Date.now());
  const mintX509 = createX509Minter(authority);
  const mintJwt = createJwtMinter(authority);
  const approved = new Map<Digest, string | undefined>();
  const quarantined = new Set<Digest>();
  const granted: Granted[] = [];
  const asked: AttestedWorkload[] = [];
  const federated = new Map<string, { bundle: TrustBundle; selector: string | undefined }>();
  const events: (Digest | "all")[] = [];
  let wake = Promise.withResolvers<void>();
  let isAway = false;

  function decide(workload: AttestedWorkload) {
    if (isAway) throw new VouchsafeError("unavailable", "the source is away");
    asked.push(workload);
    const digests = digestsOf(workload);
    const [digest] = digests;
    const deny = (...codes: string[]) =>
      new VouchsafeError("identity-denied", "denied", {
        extensions: { reasons: codes.map((code) => ({ code })) },
      });
    const { executable } = workload.absent ?? {};
    if (executable !== undefined) throw deny(executable);
    if (digest === undefined || !approved.has(digest)) throw deny("not-approved");
    if (quarantined.has(digest)) throw deny("quarantined", "no-verdict");
    const selector = approved.get(digest);
    if (selector !== undefined && !workload.selectors.includes(selector)) throw deny("not-registered");
    const now = Date.now();
    return {
      spiffeId: spiffeId(trustDomain, `/workload/${digest.slice("sha256:".length)}`),
      grounds: { digests, policies: ["release"], verdicts: [1] },
      now,
      expiresAt: now + ttl,
    };
  }
  function tell(digest: Digest | "all") {
    events.push(digest);
    wake.resolve();
    wake = Promise.withResolvers<void>();
  }

  return {
    granted,
    asked,
    async fetchX509(workload, csr, renews) {
      const { spiffeId, grounds, now, expiresAt } = decide(workload);
      const { spki } = parseCsr(csr);
      const serial = serialFrom(randomBytes(16));
      const der = await mintX509({
        spki,
        spiffeId,
        serial,
        notBefore: now - 1000,
        notAfter: expiresAt,
        grounds,
      });
      const hex = new X509Certificate(der).serialNumber.toLowerCase();
      granted.push({ workload, serial: hex, renews });
      return {
        svids: [{ spiffeId, serial: hex, chain: [der, ...authority.chain], expiresAt }],
        authorities: [authority.root.der],
      };
    },
    async fetchJwt(workload, audiences) {
      const { spiffeId, grounds, now, expiresAt } = decide(workload);
      const jti = randomUUID();
      granted.push({ workload, serial: jti, renews: [] });
      const token = await mintJwt({ spiffeId, audiences, issuedAt: now, expiresAt, jti, grounds });
      return [{ spiffeId, token, expiresAt }];
    },
    async bundle() {
      if (isAway) throw new VouchsafeError("unavailable", "the source is away");
      return authority.bundle;
    },
    async federation() {
      return [...federated.values()].map(({ bundle }) => bundle);
    },
    async federatesWith({ selectors }) {
      return [...federated.values()].flatMap(({ bundle, selector }) =>
        selector === undefined || selectors.includes(selector) ? bundle.trustDomain : [],
      );
    },
    registrations: async () => [],
    async watch(after, signal) {
      if (isAway) throw new VouchsafeError("unavailable", "the source is away");
      if (after === undefined) return { asOf: events.length, touched: [] };
      const aborted = new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      if (events.length === after) await Promise.race([wake.promise, aborted]);
      signal.throwIfAborted();
      const touched = events.slice(after);
      const digests = touched.filter((one): one is Digest => one !== "all");
      return { asOf: events.length, touched: digests.length < touched.length ? "all" : digests };
    },
    approve: (digest, selector) => approved.set(digest, selector),
    quarantine(digest) {
      quarantined.add(digest);
      tell(digest);
    },
    touch: tell,
    federate(other, selector) {
      federated.set(other.trustDomain, { bundle: other, selector });
      tell("all");
    },
    goAway(away) {
      isAway = away;
    },
    remove: () => rm(dataDir, { recursive: true, force: true }),
  };
}
