import { collectDefaultMetrics } from "prom-client";
import type { Vouchsafe } from "../context.ts";
import { requireReady } from "../log/read-log.ts";
import { readWitnesses } from "../witnessing/read-witnesses.ts";
import { type ReadMetric, readCounter, readGauge } from "./metric-values.ts";

/**
 * Adds to what a node counts what it is: each value is read when it is asked for. Two queries of the database are among
 * them, the log's head and its witnesses; while it is away, those are left out.
 */
export function exposeNode(v: Vouchsafe): void {
  const { registry } = v.metrics;
  const gauge = (name: string, help: string, read: () => number | undefined | Promise<number | undefined>) =>
    readGauge(registry, { name, help, read: async () => single(await read()) });
  const gauges = <Label extends string>(metric: ReadMetric<Label>) => readGauge(registry, metric);
  collectDefaultMetrics({ register: registry });

  gauge("vouchsafe_ready", "1 where this node may decide and append, as GET /readyz has it", () =>
    readiness(v),
  );

  // The log
  gauge("vouchsafe_log_followed_size", "Log size that this node has followed to", () => v.projection.size);
  gauge(
    "vouchsafe_log_staleness_seconds",
    "Since this node last read the log with success",
    () => v.projection.staleness() / 1000,
  );
  // All are asked in this order and at once, so the first asks for the others too.
  let log: ReturnType<typeof readWitnesses> | undefined;
  gauge("vouchsafe_log_size", "Log size in the database", async () => {
    log = readWitnesses(v);
    return (await log).treeSize;
  });
  gauge(
    "vouchsafe_log_witnessed_size",
    "Log size that the quorum of its witnesses has cosigned",
    async () => {
      const { witnesses, witnessedSize } = await (log ?? readWitnesses(v));
      return witnesses.length === 0 ? undefined : (witnessedSize ?? 0);
    },
  );
  gauges({
    name: "vouchsafe_witness_size",
    help: "Log size that a witness has cosigned last",
    labelNames: ["witness"],
    read: async () =>
      (await (log ?? readWitnesses(v))).witnesses.map(({ name, size }) => ({
        labels: { witness: name },
        value: size,
      })),
  });

  // Queues and memory
  gauge(
    "vouchsafe_writer_waiting_proposals",
    "Proposals that wait to be committed",
    () => v.writer.waiting.entries,
  );
  gauge(
    "vouchsafe_writer_waiting_bytes",
    "Bytes of the proposals that wait to be committed",
    () => v.writer.waiting.bytes,
  );
  gauges({
    name: "vouchsafe_verifier_evidence",
    help: "Evidence that is being examined, or waits for its turn",
    labelNames: ["state"],
    read: () => labelled("state", v.verifier.load),
  });
  gauge(
    "vouchsafe_projection_artifacts",
    "Artifacts whose state is in memory",
    () => v.projection.memory.artifacts,
  );
  readCounter(registry, {
    name: "vouchsafe_projection_looks_total",
    help: "Looks at an artifact, by whether its state was in memory",
    labelNames: ["result"],
    read: () => {
      const { hits, misses } = v.projection.memory;
      return labelled("result", { hit: hits, miss: misses });
    },
  });
  gauges({
    name: "vouchsafe_database_connections",
    help: "Connections of this node's pool, in use or idle",
    labelNames: ["state"],
    read: () => {
      const { total, idle } = v.database.pool;
      return labelled("state", { used: total - idle, idle });
    },
  });
  gauge(
    "vouchsafe_database_waiting",
    "Work that waits for a connection of the pool",
    () => v.database.pool.waiting,
  );

  // What ends
  gauges({
    name: "vouchsafe_authority_expiry_timestamp_seconds",
    help: "When an authority ends that this node has the keys of",
    labelNames: ["authority"],
    read: () =>
      v.authority.signers().map(({ id, until }) => ({ labels: { authority: id }, value: until / 1000 })),
  });
  gauges({
    name: "vouchsafe_trust_expiry_timestamp_seconds",
    help: "When the metadata expires that the TUF repository of an instance of the project default last gave this node",
    labelNames: ["instance"],
    read: () =>
      // Tenants choose what theirs are called: as many as they like, and as these are.
      (v.trustSources.get(v.project) ?? []).flatMap(({ name, expires }) =>
        expires === null ? [] : [{ labels: { instance: name }, value: Date.parse(expires) / 1000 }],
      ),
  });
  gauge("vouchsafe_policies_last_reload_success", "0 where the policy directory was last refused", () => {
    const reload = v.policyDirectory.lastReload;
    return reload === null ? undefined : Number(reload.outcome !== "refused");
  });
  gauge(
    "vouchsafe_policies_last_reload_timestamp_seconds",
    "When the policy directory was last read again",
    () => {
      const reload = v.policyDirectory.lastReload;
      return reload === null ? undefined : Date.parse(reload.at) / 1000;
    },
  );
}

function readiness(v: Vouchsafe): number {
  try {
    requireReady(v);
    return 1;
  } catch {
    return 0;
  }
}

function single(value: number | undefined) {
  return value === undefined ? [] : [{ labels: {}, value }];
}

function labelled<Label extends string>(label: Label, counts: Readonly<Record<string, number>>) {
  return Object.entries(counts).map(([name, value]) => ({
    labels: { [label]: name } as Readonly<Partial<Record<Label, string>>>,
    value,
  }));
}
