import { Counter, Histogram, Registry } from "prom-client";
import { type ErrorCode, VouchsafeError } from "../../errors.ts";
import { readCounter, readGauge, SECONDS } from "./metric-values.ts";

/**
 * What a node counts of its work (docs/monitoring.md). Labels take values of closed lists only: formats, codes,
 * reasons and routes, and never what a caller says, a digest or a project, of which there may be any number.
 */
export interface Metrics {
  readonly registry: Registry;
  /** A question about a digest was answered. @param outcome `allow`, or the code of the first reason to deny */
  decided(outcome: string, kept: boolean): void;
  /** Evidence was examined anew. @param outcome `verified` or the code of the refusal; `format` is known of what verified */
  verified(outcome: "verified" | ErrorCode, format: string, seconds: number): void;
  /** Work of a kind was done, or was refused with a code. Gives what it gave, and throws what it threw. */
  timed<T>(kind: Timed, work: () => Promise<T>): Promise<T>;
  /** A batch was committed. */
  committed(events: number, seconds: number): void;
  /** A reader came to a stream. Returns what says that it left. */
  reader(stream: "events" | "revocations"): () => void;
  /** Counts a route's answers. @param route its template, as it was registered */
  route(method: string, route: string): (status: number, seconds: number) => void;
}

/** What is timed with what came of it. */
export type Timed = "push" | "x509-svid" | "jwt-svid";

const EVENTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  // On the path of every decision: a counter of the library costs more than to decide.
  const decisions = { true: new Map<string, number>(), false: new Map<string, number>() };
  const answered = new Map<string, { readonly labels: Route; readonly statuses: Map<number, number> }>();
  const readers = { events: 0, revocations: 0 };

  readCounter(registry, {
    name: "vouchsafe_decisions_total",
    help: "Questions about digests answered, by what the answer was and whether it was kept from before",
    labelNames: ["outcome", "kept"],
    read: () =>
      (["true", "false"] as const).flatMap((kept) =>
        [...decisions[kept]].map(([outcome, value]) => ({ labels: { outcome, kept }, value })),
      ),
  });
  readCounter(registry, {
    name: "vouchsafe_http_requests_total",
    help: "Requests answered, by route and status",
    labelNames: ["method", "route", "status"],
    read: () =>
      [...answered.values()].flatMap(({ labels, statuses }) =>
        [...statuses].map(([status, value]) => ({ labels: { ...labels, status }, value })),
      ),
  });
  const requests = new Histogram({
    name: "vouchsafe_http_request_duration_seconds",
    help: "From a request's head to its answer's end; of streams, for as long as they were read",
    labelNames: ["method", "route"],
    buckets: SECONDS,
    registers,
  });
  const verifications = new Counter({
    name: "vouchsafe_verifications_total",
    help: "Evidence examined anew, by format and by what came of it",
    labelNames: ["outcome", "format"],
    registers,
  });
  const examining = new Histogram({
    name: "vouchsafe_verification_duration_seconds",
    help: "Examining one piece of evidence, without waiting for its turn",
    buckets: SECONDS,
    registers,
  });
  const operations = new Histogram({
    name: "vouchsafe_operation_duration_seconds",
    help: "Pushes and grants from their request to their receipt, by what came of them",
    labelNames: ["operation", "outcome"],
    buckets: SECONDS,
    registers,
  });
  const batches = new Histogram({
    name: "vouchsafe_commit_events",
    help: "Events of one commit of this node",
    buckets: EVENTS,
    registers,
  });
  const commits = new Histogram({
    name: "vouchsafe_commit_duration_seconds",
    help: "One commit of this node: the head's lock, the tree, the checkpoint and the transaction",
    buckets: SECONDS,
    registers,
  });
  readGauge(registry, {
    name: "vouchsafe_stream_readers",
    help: "Readers of server-sent events at this node",
    labelNames: ["stream"],
    read: () => Object.entries(readers).map(([stream, value]) => ({ labels: { stream }, value })),
  });

  return {
    registry,
    decided(outcome, kept) {
      const counts = kept ? decisions.true : decisions.false;
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    },
    verified(outcome, format, seconds) {
      verifications.inc({ outcome, format });
      examining.observe(seconds);
    },
    async timed(operation, work) {
      const from = performance.now();
      let outcome = "ok";
      try {
        return await work();
      } catch (error) {
        outcome = error instanceof VouchsafeError ? error.code : "internal";
        throw error;
      } finally {
        operations.observe({ operation, outcome }, (performance.now() - from) / 1000);
      }
    },
    committed(events, seconds) {
      batches.observe(events);
      commits.observe(seconds);
    },
    reader(stream) {
      readers[stream] += 1;
      return () => {
        readers[stream] -= 1;
      };
    },
    route(method, route) {
      const statuses = new Map<number, number>();
      answered.set(`${method} ${route}`, { labels: { method, route }, statuses });
      const duration = requests.labels(method, route);
      return (status, seconds) => {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        duration.observe(seconds);
      };
    },
  };
}

interface Route {
  readonly method: string;
  readonly route: string;
}
