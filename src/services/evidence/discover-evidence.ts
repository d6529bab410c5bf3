import { VouchsafeError } from "../../errors.ts";
import { groundsAllow, parseDigest } from "../../in-toto-attestation/digest.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { withOurErrors } from "../../verify/format-errors.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { traced } from "../telemetry/tracing.ts";
import { type PushedItem, pushSeveral } from "./push-several.ts";
import { type RecordedManifest, recordContainment } from "./record-containment.ts";

/** What became of a piece that was found. */
export type DiscoveredItem = { readonly from: string } & (
  | PushedItem
  | { readonly case: "recorded"; readonly manifest: RecordedManifest }
);

export interface SearchedSource {
  /** As the caller wrote it. */
  readonly source: string;
  readonly items: readonly DiscoveredItem[];
  /** Why the source was not heard to its end, or not at all. */
  readonly error?: unknown;
}

/** Of a search, in milliseconds: whoever asked still waits then. */
const TIME = 25_000;

/**
 * Looks for what other registries have about a digest, and takes it as if the caller had pushed it: manifests first, so that
 * evidence about an index reaches its parts, and then evidence, each piece verified by itself. What a source says is not
 * believed, and a source that fails stops no other.
 *
 * @throws VouchsafeError `unsupported-digest-algorithm`, `malformed-digest`, `invalid-request`, `rate-limited`, `unavailable`
 */
export async function discoverEvidence(
  v: Vouchsafe,
  caller: Caller,
  { digest: text, from }: { readonly digest: string; readonly from: readonly string[] },
): Promise<SearchedSource[]> {
  const digest = withOurErrors(() => parseDigest(text));
  if (!groundsAllow(digest))
    throw new VouchsafeError("unsupported-digest-algorithm", "Name the artifact by sha256, sha384 or sha512");
  return v.discoveries.inTurn(caller.project, async () => {
    const sources = [...new Set(from)];
    const searched: SearchedSource[] = [];
    const end = performance.now() + TIME;
    // One after another, so that a search holds what one source may give; what one leaves of its time is the others'.
    for (const [i, source] of sources.entries()) {
      const time = Math.max(0, Math.ceil((end - performance.now()) / (sources.length - i)));
      searched.push(await searchOne(v, caller, { digest, source, time }));
    }
    return searched;
  });
}

async function searchOne(
  v: Vouchsafe,
  caller: Caller,
  { digest, source, time }: { readonly digest: Digest; readonly source: string; readonly time: number },
): Promise<SearchedSource> {
  try {
    // The installation's credentials are of those who run it: by them no other project is to read what it could not.
    const { project } = caller;
    const isOwn = project === v.project;
    const { found, trouble } = await traced(v, "fetch", () =>
      v.discoveries.find(digest, source, { project, isOwn, time }),
    );
    const items: DiscoveredItem[] = [];
    for (const { from, bytes } of found.filter((one) => one.case === "manifest"))
      items.push({ from, ...(await recordOne(v, caller, bytes)) });
    const evidence = found.filter((one) => one.case === "evidence");
    const pushed = await pushSeveral(
      v,
      caller,
      evidence.map(({ bytes }) => bytes),
    );
    items.push(...pushed.map((item, i) => ({ from: evidence[i]?.from ?? source, ...item })));
    return { source, items, ...(trouble !== undefined && { error: trouble }) };
  } catch (error) {
    return { source, items: [], error };
  }
}

async function recordOne(
  v: Vouchsafe,
  caller: Caller,
  bytes: Uint8Array,
): Promise<
  | { readonly case: "recorded"; readonly manifest: RecordedManifest }
  | { readonly case: "refused"; readonly error: unknown }
> {
  try {
    return { case: "recorded", manifest: await recordContainment(v, caller, bytes) };
  } catch (error) {
    return { case: "refused", error };
  }
}
