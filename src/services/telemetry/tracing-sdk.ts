import type { ContextManager, Tracer } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { VouchsafeError } from "../../errors.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** OpenTelemetry's SDK for one node: nothing of it is global. Loaded only where traces are asked for. */
export function startSdk(env: Env): {
  readonly tracer: Tracer;
  /** Which span what is under way belongs to. */
  readonly scopes: ContextManager;
  shutdown(): Promise<void>;
} {
  const resource = resourceFromAttributes({ "service.name": "vouchsafe" }).merge(
    detectResources({ detectors: [envDetector] }),
  );
  // It reads the OTEL_EXPORTER_OTLP_… variables itself.
  const exporter = new OTLPTraceExporter();
  const provider = new TracerProvider({
    resource,
    sampler: samplerOf(env),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const scopes = new AsyncLocalStorageContextManager();
  scopes.enable();
  return {
    tracer: provider.getTracer("vouchsafe"),
    scopes,
    async shutdown() {
      // A collector that is away keeps no node from ending.
      await provider.shutdown().catch(() => undefined);
      scopes.disable();
    },
  };
}

/** The names of the specification (configuration/sdk-environment-variables.md), and what each makes. */
const SAMPLERS: ReadonlyMap<string, (ratio: number) => Sampler> = new Map<string, (ratio: number) => Sampler>(
  [
    ["always_on", () => new AlwaysOnSampler()],
    ["always_off", () => new AlwaysOffSampler()],
    ["traceidratio", (ratio) => new TraceIdRatioBasedSampler(ratio)],
    ["parentbased_always_on", () => new ParentBasedSampler({ root: new AlwaysOnSampler() })],
    ["parentbased_always_off", () => new ParentBasedSampler({ root: new AlwaysOffSampler() })],
    [
      "parentbased_traceidratio",
      (ratio) => new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    ],
  ],
);

function samplerOf({ OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG }: Env): Sampler {
  const name = OTEL_TRACES_SAMPLER || "parentbased_always_on";
  const sampler = SAMPLERS.get(name);
  const ratio = Number(OTEL_TRACES_SAMPLER_ARG || "1");
  if (sampler === undefined || !(ratio >= 0 && ratio <= 1))
    throw new VouchsafeError(
      "configuration-invalid",
      `OTEL_TRACES_SAMPLER must be one of ${[...SAMPLERS.keys()].join(", ")}, and OTEL_TRACES_SAMPLER_ARG from 0 to 1`,
    );
  return sampler(ratio);
}
