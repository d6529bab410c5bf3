import { createPublicKey, type KeyObject, randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError } from "../client/api-error.ts";
import { type Client, createClient } from "../client/client.ts";
import { ERRORS, type ErrorCode, VouchsafeError } from "../errors.ts";
import { makeAgentProof } from "../identity/agent-proof.ts";
import { makeJoinProof } from "../identity/join-proof.ts";
import { parseTrustDomain, trustDomainOf } from "../identity/spiffe-id.ts";
import type { SvidCredential } from "../identity/svid-proof.ts";
import { parseTrustBundle } from "../identity/trust-bundle.ts";
import { decodeBase64 } from "../in-toto-attestation/base64.ts";
import { parseDigest } from "../in-toto-attestation/digest.ts";
import { compileGlob } from "../policy/glob.ts";
import {
  credentialOf,
  type KeptCredential,
  readCredential,
  requireWritable,
  writeCredential,
} from "./agent-credential.ts";
import type { AttestedWorkload } from "./attested-workload.ts";
import { backoff } from "./backoff.ts";
import { denied } from "./denied.ts";
import type { IdentitySource } from "./identity-source.ts";
import { newKey, requestFor } from "./key-request.ts";

export interface ServerSourceOptions {
  /** Base URL. */
  readonly server: string;
  /** The project whose rules it joins by, where it has no join token; without, `default`. */
  readonly project?: string;
  /** Where the agent's credential is kept. */
  readonly dataDir: string;
  /** Reads what the agent joins by; asked for each attempt, when there is no credential that is still valid. */
  readonly joinBy: () => Promise<JoinBy>;
  /** Ends the waiting for a server that is away when the agent joins, by throwing what it was aborted with. */
  readonly signal: AbortSignal;
  readonly log: (entry: ServerSourceLogEntry) => void;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
}

/**
 * A join token of the server's, the service-account token that Kubernetes projects into the agent's pod, or an SVID of
 * a trust domain that the server believes; `trustDomain` is the server's own.
 */
export type JoinBy =
  | { readonly case: "join token"; readonly token: string }
  | { readonly case: "kubernetes"; readonly token: string }
  | { readonly case: "svid"; readonly credential: SvidCredential; readonly trustDomain: string };

export type ServerSourceLogEntry =
  | { readonly event: "joined" | "credential renewed"; readonly agent: string; readonly expiresAt: string }
  | { readonly event: "trying again"; readonly reason: string };

export interface ServerSource extends IdentitySource {
  readonly agent: string;
  /** Ends every request that is under way. */
  close(): Promise<void>;
}

/** Before joining or renewing is tried again: a whole fleet may have been started at once. */
const RETRY = { first: 1_000, longest: 60_000 };
const ALL = "*";
/** The server's limit: what is beyond is granted all the same, as new. */
const MAX_RENEWED = 256;

/**
 * A server as the source of identities. Joins when there is no credential yet, waiting for a server that is away;
 * then proves each request with the credential, and renews it at half its life.
 *
 * Throws `VouchsafeError` (`configuration-invalid`), or `ApiError` when the server refuses the join token.
 */
export async function openServerSource(options: ServerSourceOptions): Promise<ServerSource> {
  const { server, project, dataDir, clock = Date.now, log } = options;
  const path = join(dataDir, "agent.pem");
  const stopped = new AbortController();

  let credential = await readCredential(path);
  if (credential === undefined || credential.expiresAt <= clock()) {
    await requireWritable(path);
    // Read before anything is asked: what is not there is told at once.
    await options.joinBy();
    const join = async (csr: string) => {
      const by = await options.joinBy();
      if (by.case === "join token") return createClient({ server, token: by.token }).joinAgent(csr);
      const client = createClient({ server, ...(project !== undefined && { project }) });
      if (by.case === "kubernetes") return client.enrollAgent(csr, { kubernetes: by.token });
      const { credential } = by;
      const trustDomain = parseTrustDomain(by.trustDomain);
      const svid = makeJoinProof(
        credential,
        trustDomain,
        Buffer.from(csr, "base64"),
        randomBytes(16),
        clock(),
      );
      return client.enrollAgent(csr, { svid });
    };
    credential = await persistently(join, "joined", options.signal);
  }
  let current: KeptCredential = credential;
  const client = createClient({
    server,
    signal: stopped.signal,
    authorize: ({ method, path, body }) =>
      makeAgentProof(
        current,
        { method, path, body: body?.bytes ?? new Uint8Array() },
        randomBytes(16),
        clock(),
      ),
  });

  /** Asks until there is an answer; a refusal is one, unless the credential may be renewed yet. */
  async function persistently(
    certify: (csr: string) => ReturnType<Client["joinAgent"]>,
    event: "joined" | "credential renewed",
    signal: AbortSignal,
    isOver: (error: unknown) => boolean = (error) => !isPassing(error),
  ): Promise<KeptCredential> {
    for (let failures = 0; ; failures += 1) {
      try {
        const key = await newKey();
        const { chain } = await certify(base64Of(requestOf(key)));
        const next = credentialOf(chain.map(bytesOf), key);
        await writeCredential(path, next);
        log({ event, agent: next.spiffeId, expiresAt: new Date(next.expiresAt).toISOString() });
        return next;
      } catch (error) {
        signal.throwIfAborted();
        if (isOver(error)) throw error;
        log({ event: "trying again", reason: (error as Error).message });
        await sleep(backoff(RETRY, failures + 1, Math.random), undefined, { signal });
      }
    }
  }

  async function keepCredential(): Promise<void> {
    while (!stopped.signal.aborted) {
      const half = current.issuedAt + (current.expiresAt - current.issuedAt) / 2;
      await sleep(Math.max(0, half - clock()), undefined, stopped);
      current = await persistently(
        (csr) => client.renewAgent(csr),
        "credential renewed",
        stopped.signal,
        () => false,
      );
    }
  }
  const keeping = keepCredential().catch((error) => {
    if (!stopped.signal.aborted) throw error;
  });

  return {
    agent: current.spiffeId,
    async fetchX509(workload, csr, renews) {
      const request = {
        csr: base64Of(csr),
        ...subjectOf(workload),
        renews: renews.slice(0, MAX_RENEWED),
      };
      const { svids, bundle } = await asOurs(client.requestX509Svids(request));
      return {
        svids: svids.map(({ spiffeId, serial, chain, expiresAt }) => ({
          spiffeId,
          serial,
          chain: chain.map(bytesOf),
          expiresAt: Date.parse(expiresAt),
        })),
        authorities: bundle.x509Authorities.map(bytesOf),
      };
    },
    async fetchJwt(workload, audiences, spiffeId) {
      const request = { audiences, ...subjectOf(workload), ...(spiffeId !== undefined && { spiffeId }) };
      const { svids } = await asOurs(client.requestJwtSvids(request));
      return svids.map((svid) => ({ ...svid, expiresAt: Date.parse(svid.expiresAt) }));
    },
    async bundle() {
      const document = new TextEncoder().encode(await asOurs(client.trustBundle()));
      return parseTrustBundle(document, trustDomainOf(current.spiffeId));
    },
    async federation() {
      const own = trustDomainOf(current.spiffeId);
      const { federation } = await asOurs(client.federation());
      return federation.flatMap(({ trustDomain, bundle }) => {
        const domain = parseTrustDomain(trustDomain);
        if (domain === own || bundle === null) return [];
        return parseTrustBundle(new TextEncoder().encode(JSON.stringify(bundle)), domain);
      });
    },
    async federatesWith({ selectors }) {
      return (await asOurs(client.workloadFederation(selectors))).federatesWith;
    },
    async registrations() {
      const { registrations } = await asOurs(client.listRegistrations());
      return registrations.map(({ workload, selectors, files }) => ({
        workload,
        selectors: selectors.map(compileGlob),
        files: new Map(Object.entries(files)),
      }));
    },
    async watch(after, signal) {
      const { asOf, touched } = await asOurs(client.watchIdentities(after, signal));
      return { asOf, touched: touched.includes(ALL) ? "all" : touched.map(parseDigest) };
    },
    async close() {
      stopped.abort();
      await keeping;
    },
  };
}

function subjectOf({ selectors, components, absent }: AttestedWorkload) {
  return { selectors, components, ...(absent && { absent }) };
}

function requestOf(key: KeyObject): Uint8Array {
  return requestFor(key, createPublicKey(key));
}

/** No answer, or one that says nothing of what was asked. */
function isPassing(error: unknown): boolean {
  return (
    error instanceof ApiError && (error.status === undefined || error.status === 429 || error.status >= 500)
  );
}

/** What the agent's core expects: `VouchsafeError`, of the server's code where it gave one. */
async function asOurs<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    if (!(cause instanceof ApiError)) throw cause;
    // All that the agent asks for is denied then, whatever it asks.
    if (cause.code === "project-suspended") throw denied(cause.code, cause.message, cause);
    const code: ErrorCode = Object.hasOwn(ERRORS, cause.code) ? (cause.code as ErrorCode) : "unavailable";
    const { reasons } = cause.problem;
    throw new VouchsafeError(code, cause.message, {
      cause,
      extensions: reasons === undefined ? {} : { reasons },
    });
  }
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function bytesOf(text: string): Uint8Array {
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw new VouchsafeError("unavailable", "The server's answer holds no base64");
  return bytes;
}
