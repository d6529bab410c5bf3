import { verify as verifySignature } from "node:crypto";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundleFromJSON, type SerializedBundle } from "@sigstore/bundle";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";
import { INSTALLATION } from "../src/custody/events.ts";
import { createVerifier } from "../src/services/verification/verifier.ts";
import { createTrust, type TrustSnapshot } from "../src/trust/snapshot.ts";
import { checkOnThreads, type SignatureCheck } from "../src/verify/signature-check.ts";
import { examine, verifyEvidence } from "../src/verify/verify-evidence.ts";
import { type Case, openCorpus } from "../test/corpus/manifest.ts";
import { startSigstore } from "../test/sigstore/instance.ts";
import { slsaProvenance } from "../test/sigstore/provenance.ts";
import { type BenchResult, type Contender, compare, cpuSeconds } from "./measure.ts";

/**
 * Verdicts before the first that counts: while V8 still compiles, a verdict takes a third longer, and a service is past
 * that within its first half minute of work.
 */
const WARM_UP = 20_000;
/** Enough that no thread of the pool waits for the event loop. */
const IN_FLIGHT = 16;
const CORPUS = fileURLToPath(new URL("../../shared/corpus", import.meta.url));
const PUBLIC_GOOD = "_trust/public-good.trusted_root.json";

interface Evidence {
  readonly from: string;
  readonly trustedRoot: unknown;
  readonly bundles: readonly Uint8Array[];
}

/**
 * Verdicts a second on bundles that hold signed Statements: ours on one core, on all cores and remembered, against
 * @sigstore/verify, and against the floor: the same signatures checked with the same keys, and nothing else.
 */
export async function verify(): Promise<BenchResult> {
  const { from, trustedRoot, bundles } = existsSync(CORPUS) ? realBundles() : await localBundles();
  const root = JSON.parse(JSON.stringify(trustedRoot));
  const trust = createTrust({ sigstore: [{ name: "bench", trustedRoot: root }], keys: [] });
  const library = new Verifier(toTrustMaterial(TrustedRoot.fromJSON(root)));
  const now = Date.now();
  const verifier = createVerifier({ mode: "off", report: () => {} });

  const ours = inTurn("ours", bundles, (bytes) => void verifyEvidence(bytes, trust, now));
  const least = inTurn(
    "floor",
    bundles.map((bytes) => checksOf(bytes, trust)),
    assertAll,
  );
  await ours.run(WARM_UP);
  await least.run(WARM_UP / 10);
  // Two at a time: what the library leaves to be collected would be charged to whoever comes after it.
  const [own, floor] = await compare([ours, least], { rounds: 15, duration: 300, clock: cpuSeconds });
  const [beside, theirs] = await compare(
    [
      ours,
      inTurn("@sigstore/verify", bundles, (bytes) => {
        const json: SerializedBundle = JSON.parse(Buffer.from(bytes).toString());
        library.verify(toSignedEntity(bundleFromJSON(json)));
      }),
    ],
    // Of the library a round is as few verdicts as a round may be, and lasts for seconds.
    { rounds: 7, duration: 300, clock: cpuSeconds },
  );
  const [alone, threads, remembered] = await compare(
    [
      ours,
      atOnce("ours on threads", bundles, (bytes) => checkOnThreads(examine(bytes, trust))),
      atOnce("ours remembered", bundles, (bytes) => verifier.verify(INSTALLATION, bytes, trust, now)),
    ],
    // A round begins and ends with threads that have nothing to do: long ones, so that this is little of them.
    { rounds: 9, duration: 1000 },
  );
  const row = (name: string, median = Number.NaN) => ({ name, median, unit: "verdicts/s" });
  return {
    bench: "verify",
    rows: [
      row(`ours (${bundles.length} ${from})`, own),
      row("@sigstore/verify", theirs),
      row("floor: the signatures alone", floor),
      row("ours on the thread pool, by the wall's clock", threads),
      row("ours on one core, by the wall's clock", alone),
      row("ours, remembered", remembered),
    ],
    ratios: {
      "vs-sigstore-js": ratio(beside, theirs),
      "vs-floor": ratio(own, floor),
      "two-cores": ratio(threads, alone),
      "cache-hit-vs-sigstore-js": ratio(remembered, theirs),
    },
  };
}

function ratio(one = Number.NaN, other = Number.NaN): number {
  return one / other;
}

/** Provenance of the public-good instance's, as registries hand it out. */
function realBundles(): Evidence {
  const corpus = openCorpus(CORPUS);
  const paths = corpus.cases.filter(isOrdinary).map(({ files }) => files.bundle);
  const bundles = [...new Set(paths)].map((path) => corpus.read(path)).filter(holdsCertifiedStatement);
  return { from: "real bundles", trustedRoot: JSON.parse(corpus.read(PUBLIC_GOOD).toString()), bundles };
}

function isOrdinary({ format, expected, ambiguous, files, extra }: Case): boolean {
  const isBundle = format.startsWith("sigstore-bundle-v") && files.trustedRoot === PUBLIC_GOOD;
  return isBundle && expected === "verified" && ambiguous === undefined && extra === undefined;
}

function holdsCertifiedStatement(bytes: Uint8Array): boolean {
  const { dsseEnvelope, verificationMaterial } = JSON.parse(Buffer.from(bytes).toString());
  return dsseEnvelope !== undefined && verificationMaterial.publicKey === undefined;
}

/** Where the real ones are not at hand: provenance that a Sigstore instance of this machine signed. */
async function localBundles(): Promise<Evidence> {
  const sigstore = await startSigstore();
  try {
    const bundles: Uint8Array[] = [];
    for (let i = 0; i < 32; i += 1) {
      const artifact = { name: "widget", bytes: Buffer.from(`widget ${i}`) };
      bundles.push(await sigstore.signStatement(slsaProvenance([artifact])));
    }
    return { from: "bundles of a local Sigstore", trustedRoot: sigstore.trustedRoot, bundles };
  } finally {
    await sigstore.close();
  }
}

/** The signatures that the verdict rests on, as the checklist asks for them. */
function checksOf(bytes: Uint8Array, trust: TrustSnapshot): SignatureCheck[] {
  const checks: SignatureCheck[] = [];
  const verification = examine(bytes, trust);
  for (let step = verification.next(); !step.done; ) {
    checks.push(...step.value);
    step = verification.next(step.value.map(() => true));
  }
  return checks;
}

function assertAll(checks: readonly SignatureCheck[]): void {
  for (const { key, scheme, signed, signature } of checks) {
    const held = signed.bytes !== undefined && verifySignature(scheme.hash, signed.bytes, key, signature);
    if (!held) throw new Error("a signature of the floor does not hold");
  }
}

function inTurn<Item>(name: string, items: readonly Item[], run: (item: Item) => void): Contender {
  let at = 0;
  return {
    name,
    run: async (count) => {
      for (let i = 0; i < count; i += 1) run(items[at++ % items.length] as Item);
    },
  };
}

function atOnce<Item>(
  name: string,
  items: readonly Item[],
  run: (item: Item) => Promise<unknown>,
): Contender {
  let at = 0;
  return {
    name,
    run: async (count) => {
      let left = count;
      const one = async () => {
        while (left-- > 0) await run(items[at++ % items.length] as Item);
      };
      await Promise.all(Array.from({ length: IN_FLIGHT }, one));
    },
  };
}
