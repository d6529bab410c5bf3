import type { JsonObject } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import { VouchsafeError } from "../errors.ts";
import { claimedTrustDomain, validateJwtSvid } from "../identity/jwt-svid.ts";
import { parseSpiffeId, spiffeId, type TrustDomain } from "../identity/spiffe-id.ts";
import { type TrustBundle, writeJwks } from "../identity/trust-bundle.ts";
import type { Peer } from "./attest.ts";
import type { AttestedWorkload } from "./attested-workload.ts";
import type { BundleKeeper } from "./bundle-keeper.ts";
import { type Calls, callerOf } from "./calls.ts";
import { isDenial } from "./denied.ts";
import { equalityOf, type Holdings } from "./holdings.ts";
import { SpiffeWorkloadAPI } from "./workload_pb.ts";
import { type X509Update, x509Updates } from "./x509-updates.ts";

export interface WorkloadApiOptions {
  readonly holdings: Holdings;
  readonly bundles: BundleKeeper;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly calls: Calls;
}

/** SPIFFE_Workload_API.md §6.1: keeps requests away that were forged on another's behalf. No other service asks for it. */
const SECURITY_HEADER = "workload.spiffe.io";
const MAX_AUDIENCES = 8;

export const requireSecurityHeader: Interceptor = (next) => async (request) => {
  if (request.service === SpiffeWorkloadAPI && request.header.get(SECURITY_HEADER) !== "true") {
    throw new ConnectError(`The metadata ${SECURITY_HEADER}: true is missing`, Code.InvalidArgument);
  }
  return next(request);
};

/** The SPIFFE Workload API. Every call is answered to the process that the kernel names, as it is at that moment. */
export function workloadApi({ holdings, bundles, clock, calls }: WorkloadApiOptions) {
  const { answer, stream } = calls;
  /** Each trust domain's that the caller may believe, by its SPIFFE ID, whenever one of them changes. */
  async function* bundleStream(context: HandlerContext, write: (bundle: TrustBundle) => Uint8Array) {
    let given: readonly TrustBundle[] = [];
    for await (const own of bundles.follow(context.signal)) {
      const next = [own, ...(await federatedFor(callerOf(context)))];
      if (next.length === given.length && next.every((bundle) => given.includes(bundle))) continue;
      given = next;
      yield { bundles: byId(next, write) };
    }
  }
  /** Its own trust domain's bundle is anybody's, others' are for who is attested. */
  async function federatedFor(caller: Peer): Promise<readonly TrustBundle[]> {
    try {
      return await bundles.federatedFor(await caller.attest());
    } catch (error) {
      if (isDenial(error)) return [];
      throw error;
    }
  }
  async function bundleOf(caller: Peer, trustDomain: TrustDomain): Promise<TrustBundle> {
    const own = await bundles.current();
    const believed = own.trustDomain === trustDomain ? [own] : await federatedFor(caller);
    const bundle = believed.find((one) => one.trustDomain === trustDomain);
    if (bundle !== undefined) return bundle;
    throw new VouchsafeError(
      "invalid-svid",
      `the JWT-SVID is refused: the caller does not federate with ${trustDomain}`,
    );
  }

  return (router: ConnectRouter): ConnectRouter =>
    router.service(SpiffeWorkloadAPI, {
      fetchX509SVID: (_request, context) =>
        stream(context, async function* () {
          const caller = callerOf(context);
          for await (const update of x509Updates(caller, { holdings, bundles, clock }, context.signal)) {
            calls.granted(context, update.workload, update.grants.svids);
            yield x509Response(update);
          }
        }),

      fetchX509Bundles: (_request, context) => stream(context, () => bundleStream(context, rootsOf)),

      fetchJWTSVID: ({ audience, spiffeId }, context) =>
        answer(context, async () => {
          if (audience.length === 0 || audience.length > MAX_AUDIENCES || audience.includes("")) {
            throw new VouchsafeError("invalid-request", `1 to ${MAX_AUDIENCES} audiences are needed`);
          }
          const wanted = spiffeId === "" ? undefined : parseSpiffeId(spiffeId);
          const workload = await callerOf(context).attest();
          const svids = await holdings.of(workload).jwt(audience, wanted);
          // The source may be far away: nothing is handed to a process that became another meanwhile.
          requireEqual(await callerOf(context).attest(), workload);
          calls.granted(context, workload, svids);
          return { svids: svids.map(({ spiffeId, token }) => ({ spiffeId, svid: token })) };
        }),

      fetchJWTBundles: (_request, context) =>
        stream(context, () =>
          bundleStream(context, (bundle) => new TextEncoder().encode(JSON.stringify(writeJwks(bundle)))),
        ),

      validateJWTSVID: ({ audience, svid }, context) =>
        answer(context, async () => {
          if (audience === "") throw new VouchsafeError("invalid-request", "An audience is needed");
          const bundle = await bundleOf(callerOf(context), claimedTrustDomain(svid));
          const { spiffeId, claims } = validateJwtSvid(svid, bundle, audience, clock());
          return { spiffeId, claims: claims as JsonObject };
        }),
    });
}

function requireEqual(now: AttestedWorkload, before: AttestedWorkload): void {
  if (equalityOf(now) === equalityOf(before)) return;
  throw new VouchsafeError("unavailable", "The process changed while it was answered; ask again");
}

function x509Response({ grants, privateKey, bundle, federated }: X509Update) {
  return {
    svids: grants.svids.map(({ spiffeId, chain }) => ({
      spiffeId,
      x509Svid: concatenated(chain),
      x509SvidKey: privateKey,
      bundle: rootsOf(bundle),
    })),
    federatedBundles: byId(federated, rootsOf),
  };
}

function byId(
  bundles: readonly TrustBundle[],
  write: (bundle: TrustBundle) => Uint8Array,
): { [id: string]: Uint8Array } {
  return Object.fromEntries(bundles.map((bundle) => [spiffeId(bundle.trustDomain, ""), write(bundle)]));
}

function rootsOf({ x509Authorities }: TrustBundle): Uint8Array {
  return concatenated(x509Authorities.map(({ der }) => der));
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
