import { randomBytes } from "node:crypto";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { VouchsafeError } from "../../errors.ts";
import { type Calls, callerOf } from "../calls.ts";
import { type X509Update, type X509UpdateOptions, x509Updates } from "../x509-updates.ts";
import { type DiscoveryRequest, type Node, SecretDiscoveryService } from "./sds_pb.ts";
import { type SecretRequest, secretsOf } from "./secrets.ts";
import { SecretSchema } from "./tls_pb.ts";

export interface SecretDiscoveryOptions extends X509UpdateOptions {
  readonly calls: Calls;
}

const SECRET_TYPE = `type.googleapis.com/${SecretSchema.typeName}`;
/** Characters of what a proxy says is wrong. */
const MAX_REASON = 512;

/**
 * Envoy's secret discovery service (SDS, the xDS protocol in its state-of-the-world form) for whatever process
 * connects: its SVIDs and bundles as the Workload API would give them, in the form and by the names that SPIRE's agent uses.
 */
export function secretDiscovery({ calls, ...options }: SecretDiscoveryOptions) {
  return (router: ConnectRouter): ConnectRouter =>
    router.service(SecretDiscoveryService, {
      streamSecrets: (requests, context) =>
        calls.stream(context, () => streamSecrets(requests, context, options, calls)),

      fetchSecrets: (request, context) =>
        calls.answer(context, async () => {
          for await (const update of x509Updates(callerOf(context), options, context.signal)) {
            calls.granted(context, update.workload, update.grants.svids);
            return response(update, wantedBy(request));
          }
          throw new VouchsafeError("unavailable", "The agent stops");
        }),
    });
}

/**
 * One subscription: answers its first request, and from then on each change of what the workload holds and each change of
 * the names. An acknowledgement needs no answer, and after a rejection nothing follows until there is something else.
 */
async function* streamSecrets(
  requests: AsyncIterable<DiscoveryRequest>,
  context: HandlerContext,
  options: X509UpdateOptions,
  calls: Calls,
) {
  const ending = new AbortController();
  const signal = AbortSignal.any([context.signal, ending.signal]);
  let wanted: SecretRequest | undefined;
  let update: X509Update | undefined;
  let version = 0;
  let nonce = "";
  let isDue = false;
  let end: { readonly error?: unknown } | undefined;
  let wake = Promise.withResolvers<void>();

  async function read(): Promise<void> {
    for await (const request of requests) {
      // What was said before the last response was seen is out of date: its answer to that one follows.
      if (nonce !== "" && request.responseNonce !== nonce) continue;
      if (request.errorDetail !== undefined) {
        calls.rejected(context, request.errorDetail.message.slice(0, MAX_REASON));
      }
      const next = wantedBy(request, wanted);
      if (wanted === undefined || !hasSameNames(wanted, next)) isDue = true;
      wanted = next;
      wake.resolve();
    }
  }
  async function follow(): Promise<void> {
    for await (const next of x509Updates(callerOf(context), options, signal)) {
      update = next;
      version += 1;
      isDue = true;
      wake.resolve();
    }
  }
  // Whichever ends or fails ends the stream: a proxy that hangs up, a denial.
  const over = (how: { readonly error?: unknown }) => {
    end ??= how;
    wake.resolve();
  };
  for (const run of [read, follow]) {
    run().then(
      () => over({}),
      (error) => over({ error }),
    );
  }
  try {
    for (;;) {
      await wake.promise;
      wake = Promise.withResolvers();
      if (end?.error !== undefined) throw end.error;
      if (end !== undefined) return;
      if (!isDue || wanted === undefined || update === undefined) continue;
      isDue = false;
      nonce = randomBytes(8).toString("hex");
      const answer = response(update, wanted);
      calls.granted(context, update.workload, update.grants.svids);
      yield { ...answer, nonce, versionInfo: String(version) };
    }
  } finally {
    ending.abort();
  }
}

function response(update: X509Update, wanted: SecretRequest) {
  return { typeUrl: SECRET_TYPE, resources: secretsOf(update, wanted) };
}

/** @param before of the same stream: a proxy need not say twice what it is. Throws `VouchsafeError` (`invalid-request`). */
function wantedBy({ resourceNames, typeUrl, node }: DiscoveryRequest, before?: SecretRequest): SecretRequest {
  if (typeUrl !== "" && typeUrl !== SECRET_TYPE) {
    throw new VouchsafeError("invalid-request", `Only ${SECRET_TYPE} is served`);
  }
  return {
    names: resourceNames,
    takesSpiffeValidator:
      node === undefined ? (before?.takesSpiffeValidator ?? false) : hasSpiffeValidator(node),
  };
}

/** Envoy has it since 1.18. */
function hasSpiffeValidator({ userAgentBuildVersion }: Node): boolean {
  const { majorNumber = 0, minorNumber = 0 } = userAgentBuildVersion?.version ?? {};
  return majorNumber > 1 || (majorNumber === 1 && minorNumber >= 18);
}

function hasSameNames(one: SecretRequest, other: SecretRequest): boolean {
  const [names, others] = [new Set(one.names), new Set(other.names)];
  return names.size === others.size && [...names].every((name) => others.has(name));
}
