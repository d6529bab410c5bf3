import "./no-proxy.ts";

import { generateKeyPairSync } from "node:crypto";
import { bundleToJSON } from "@sigstore/bundle";
import {
  fulcioHandler,
  type HandlerFn,
  initializeCA,
  initializeCTLog,
  initializeTSA,
  tsaHandler,
} from "@sigstore/mock";
import {
  DSSEBundleBuilder,
  FulcioSigner,
  MessageSignatureBundleBuilder,
  RekorWitness,
  TSAWitness,
  type Witness,
} from "@sigstore/sign";
import type { JsonObject } from "../../src/in-toto-attestation/types.ts";
import { type ActionsClaims, actionsClaims } from "./github-actions.ts";
import { oidcToken, SUBJECT_CLAIM } from "./oidc-token.ts";
import type { InTotoStatement } from "./provenance.ts";
import { startRekor } from "./rekor.ts";
import { createRekorLog } from "./rekor-log.ts";
import { tilesWitness } from "./rekor-tiles.ts";
import { serve } from "./service.ts";
import { trustedRoot } from "./trusted-root.ts";

/** Rekor v1, Rekor v2 (where the instance has it) and the timestamp authority. */
type WitnessName = "rekor" | "rekor-tiles" | "tsa";

export interface SignOptions {
  /** Who signs; a release build of `acme/widget` by default. */
  readonly claims?: ActionsClaims;
  /** Who bears witness to the time; Rekor alone by default, nobody for `[]`. */
  readonly witnesses?: readonly WitnessName[];
  /** The kind of log entry for an envelope. */
  readonly entryType?: "dsse" | "intoto";
  /** Packs the certificate as a chain, as bundles of version 0.2 do, instead of 0.3. */
  readonly asVersion02?: boolean;
}

/** A whole Sigstore instance on the loopback interface, with keys that exist only while it runs. */
export interface Sigstore {
  readonly fulcioUrl: string;
  readonly rekorUrl: string;
  readonly tsaUrl: string;
  /** The `trusted_root.json` that a verifier needs. */
  readonly trustedRoot: JsonObject;
  /** Signs an in-toto Statement keylessly: the bytes of a Sigstore bundle. */
  signStatement(statement: InTotoStatement, options?: SignOptions): Promise<Uint8Array>;
  /** Signs any payload as an envelope. */
  signPayload(payload: Uint8Array, payloadType: string, options?: SignOptions): Promise<Uint8Array>;
  /** Signs a file's bytes themselves, as `cosign sign-blob` does. */
  signBlob(blob: Uint8Array, options?: SignOptions): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Clocks in milliseconds since the epoch; a Rekor an hour ahead logs after certificates expired. */
export interface InstanceOptions {
  readonly fulcio?: () => number;
  readonly rekor?: () => number;
  readonly tsa?: () => number;
  /** Runs a log of tiles (Rekor v2) beside the other. */
  readonly tiles?: boolean;
}

const TILES = "log1.rekor.localhost";

/**
 * Starts Fulcio (with its CT log), Rekor and a timestamp authority. Certificate authorities are valid from the
 * real now for a year, so a clock may run ahead and not behind.
 */
export async function startSigstore(options: InstanceOptions = {}): Promise<Sigstore> {
  const fulcioClock = new Date();
  const ctLog = await initializeCTLog(newKey(), fulcioClock);
  const ca = await initializeCA(newKey(), ctLog, fulcioClock);
  const fulcioApi = fulcioHandler(ca, { subjectClaim: SUBJECT_CLAIM });
  const fulcio = await serveAt(fulcioApi, fulcioClock, options.fulcio ?? Date.now);

  const tsaClock = new Date();
  const authority = await initializeTSA(newKey(), tsaClock);
  const tsa = await serveAt(tsaHandler(authority), tsaClock, options.tsa ?? Date.now);

  const rekor = await startRekor(options.rekor ?? Date.now);

  const tiles = options.tiles === true ? createRekorLog({ name: TILES, version: 2 }) : undefined;

  const witnesses = {
    "rekor-tiles": (): Witness => {
      if (tiles === undefined) throw new TypeError("this instance runs no log of tiles");
      return tilesWitness(tiles);
    },
    rekor: (entryType: "dsse" | "intoto"): Witness =>
      new RekorWitness({ rekorBaseURL: rekor.url, entryType }),
    tsa: (): Witness => new TSAWitness({ tsaBaseURL: tsa.url }),
  };
  function parties(options: SignOptions) {
    return {
      signer: new FulcioSigner({
        fulcioBaseURL: fulcio.url,
        identityProvider: { getToken: async () => oidcToken(options.claims ?? actionsClaims()) },
      }),
      witnesses: (options.witnesses ?? ["rekor"]).map((name) => witnesses[name](options.entryType ?? "dsse")),
    };
  }
  async function signPayload(payload: Uint8Array, payloadType: string, options: SignOptions = {}) {
    const builder = new DSSEBundleBuilder({
      ...parties(options),
      certificateChain: options.asVersion02 ?? false,
    });
    return bundleBytes(await builder.create({ data: Buffer.from(payload), type: payloadType }));
  }

  return {
    fulcioUrl: fulcio.url,
    rekorUrl: rekor.url,
    tsaUrl: tsa.url,
    trustedRoot: trustedRoot({
      fulcio: { url: fulcio.url, certificates: [ca.rootCertificate] },
      ctLog: { url: fulcio.url, publicKey: ctLog.publicKey },
      rekor: [
        { url: rekor.url, publicKey: rekor.publicKey },
        ...(tiles === undefined
          ? []
          : [{ url: `https://${TILES}`, publicKey: tiles.publicKey, tilesLogId: tiles.logId }]),
      ],
      tsa: { url: tsa.url, certificates: [authority.intCertificate, authority.rootCertificate] },
    }),
    signPayload,
    signStatement: (statement, options) =>
      signPayload(Buffer.from(JSON.stringify(statement)), "application/vnd.in-toto+json", options),
    async signBlob(blob, options = {}) {
      const builder = new MessageSignatureBundleBuilder(parties(options));
      return bundleBytes(await builder.create({ data: Buffer.from(blob) }));
    },
    async close() {
      await Promise.all([fulcio.close(), rekor.close(), tsa.close()]);
    },
  };
}

/**
 * Serves a handler whose clock is a `Date` that it reads whenever it needs one. One request at a time: while a
 * certificate is made, its clock stands still.
 */
async function serveAt(handler: { path: string; fn: HandlerFn }, clock: Date, now: () => number) {
  let previous: Promise<unknown> = Promise.resolve();
  return serve((method, path, body) => {
    if (method !== "POST" || path !== handler.path) return undefined;
    const reply = previous.then(() => {
      clock.setTime(now());
      return handler.fn(body);
    });
    previous = reply.catch(() => undefined);
    return reply;
  });
}

function newKey() {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

function bundleBytes(bundle: Parameters<typeof bundleToJSON>[0]): Uint8Array {
  return Buffer.from(JSON.stringify(bundleToJSON(bundle)));
}
