import { summaryBody } from "../src/custody/attestation-summary.ts";
import { sha256 } from "../src/in-toto-attestation/digest.ts";
import type { JsonObject } from "../src/in-toto-attestation/types.ts";
import { currentTrust } from "../src/services/evidence/push-attestation.ts";
import { type Simulation, simulatePolicies } from "../src/services/simulation/simulate-policies.ts";
import type { VerifiedAttestation } from "../src/verify/verified-attestation.ts";
import type { TestNode } from "../test/http/node.ts";
import { RELEASE_POLICY } from "../test/http/release.ts";
import { callerWith, openReleaseHouse } from "../test/services/release-node.ts";
import { slsaProvenance } from "../test/sigstore/provenance.ts";
import { createPostgres, stopPostgres } from "../test/support/postgres.ts";
import { digestOf } from "../test/support/pushes.ts";
import { type BenchResult, cpuSeconds, fromClients } from "./measure.ts";

const LEAST = 5_000;
const CLIENTS = 256;

/** Takes in the tenth of the artifacts that go by another name, and asks a rule of all. */
const EDITED = `${RELEASE_POLICY.replace('["widget*"]', '["widget*", "gadget*"]')}
  rules:
    - {name: hosted-runner, cel: signer.claims.runnerEnvironment == "github-hosted"}
`;

/**
 * `policy simulate` over stored attestations, each about an artifact of its own: SLSA provenance in Sigstore bundles
 * with a certificate and a log entry. One is signed; the others are it with another subject, which nobody notices
 * who takes the log's word. One policy is edited, so that each artifact is judged twice.
 */
export async function simulate({ count = 20_000 }: { readonly count?: number }): Promise<BenchResult> {
  const postgres = await createPostgres();
  const house = await openReleaseHouse(postgres);
  try {
    const node = await house.open();
    const bundle = await house.sigstore.signStatement(
      slsaProvenance([{ name: "widget.tgz", sha256: "0".repeat(64) }]),
    );
    const size = await store(node, bundle, count);
    const documents = [{ name: "release.yaml", text: EDITED }];

    const rss = followRss();
    const [start, cpu] = [performance.now(), cpuSeconds()];
    const result = await resultOf(node, documents);
    const seconds = (performance.now() - start) / 1000;
    const used = cpuSeconds() - cpu;
    const growth = rss.stop();
    const [{ allowed, denied } = { allowed: { count: 0 }, denied: { count: 0 } }] = result.policies;
    if (result.artifacts !== count || allowed.count !== Math.ceil(count / 10) || denied.count !== 0) {
      throw new Error(`judged ${JSON.stringify(result)}`);
    }
    return {
      bench: "simulate",
      rows: [
        { name: "simulated", median: count / seconds, unit: "attestations/s" },
        { name: "attestations", median: count, unit: "bundles" },
        { name: "evidence", median: size, unit: "bytes each" },
        { name: "CPU of this process", median: (used / count) * 1e6, unit: "µs each" },
        { name: "peak RSS above that at the start", median: growth / 1024 ** 2, unit: "MiB" },
      ],
      ratios: { [`vs-${LEAST}-a-second`]: count / seconds / LEAST },
    };
  } finally {
    await house.close();
    await postgres.drop();
    await stopPostgres();
  }
}

async function resultOf(
  { v }: TestNode,
  documents: readonly { name: string; text: string }[],
): Promise<Simulation> {
  for await (const step of simulatePolicies(v, { project: v.project }, { documents })) {
    if (step.case === "result") return step.result;
  }
  throw new Error("no result");
}

/** Through the writer, as pushes that were verified beforehand. Gives the size of a bundle in bytes. */
export async function store(node: TestNode, bundle: Uint8Array, count: number): Promise<number> {
  const { v } = node;
  const caller = callerWith(node, ["uploader"]);
  const trust = await currentTrust(v, caller);
  const attestation = await v.verifier.verify(v.project, bundle, trust, v.clock());
  let stored = 0;
  await fromClients(CLIENTS, count, async () => {
    const { bytes, body, artifact } = renamed(bundle, attestation, stored++);
    const event = {
      type: "evidence.accepted",
      about: [artifact],
      body: {
        ...body,
        size: bytes.length,
        trust: trust.hash,
        verifiedAt: new Date().toISOString(),
        caller: caller.token,
      },
    } as const;
    const evidence = { id: sha256(bytes), mediaType: attestation.mediaType, bytes };
    const appended = await v.writer.append({
      project: v.project,
      asOf: 1,
      restsOn: [],
      events: [event],
      evidence,
    });
    if (appended.outcome !== "committed") throw new Error("a push was stale");
  });
  return bundle.length;
}

/** The bundle about another artifact, and what would be recorded of it. */
function renamed(bundle: Uint8Array, attestation: VerifiedAttestation, i: number) {
  const artifact = digestOf(`artifact ${i}`);
  const name = i % 10 === 0 ? "gadget.tgz" : "widget.tgz";
  const parsed = JSON.parse(Buffer.from(bundle).toString());
  const payload = Buffer.from(parsed.dsseEnvelope.payload, "base64").toString();
  parsed.dsseEnvelope.payload = Buffer.from(
    payload.replace("widget.tgz", name).replace("0".repeat(64), artifact.slice("sha256:".length)),
  ).toString("base64");
  const bytes = Buffer.from(JSON.stringify(parsed));
  const body: JsonObject = {
    ...summaryBody(attestation),
    attestation: sha256(bytes),
    subjects: [{ name, digests: [artifact] }],
  };
  return { bytes, body, artifact };
}

/** How far the process's memory rises above what it has now, in bytes. */
function followRss(): { stop(): number } {
  const before = process.memoryUsage.rss();
  let peak = before;
  const look = () => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  const timer = setInterval(look, 50);
  return {
    stop() {
      clearInterval(timer);
      look();
      return peak - before;
    },
  };
}
