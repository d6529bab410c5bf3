import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { hasCode, VouchsafeError } from "../../errors.ts";

/** Tells an OpenTelemetry collector what took how long. Spans hold codes, counts and the names of steps, and nothing that a caller said. */
export interface Tracing {
  /**
   * A request, as a part of its caller's trace where it says so (W3C Trace Context §3.2).
   *
   * @param traceparent the header
   */
  request(name: string, traceparent: string | undefined, attributes: Attributes): RequestSpan;
  /** A step of whatever is under way. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** What is under way, for `batch`. */
  current(): unknown;
  /** Work that is done for several at once: a trace by itself, which is linked with theirs. */
  batch<T>(name: string, of: readonly unknown[], work: () => Promise<T>): Promise<T>;
  /** Of what is under way, as logs have it. */
  ids(): { readonly traceId: string; readonly spanId: string } | undefined;
  /** Sends what has not been sent. */
  close(): Promise<void>;
}

export interface RequestSpan {
  /** Everything that is begun in here is a part of it. */
  within<T>(work: () => T): T;
  end(attributes: Attributes, isFailed: boolean): void;
}

/** Batches are linked with so many at most. */
const MAX_LINKS = 128;

/**
 * Tracing as the environment has it (OpenTelemetry's environment variables): on where an endpoint or the exporter `otlp` is named.
 * The SDK is loaded only then.
 *
 * @returns undefined where nobody asked for it
 * @throws VouchsafeError `configuration-invalid` for a sampler that is not known
 */
export async function openTracing(
  env: Readonly<Record<string, string | undefined>>,
): Promise<Tracing | undefined> {
  if (!isAsked(env)) return undefined;
  const { startSdk } = await import("./tracing-sdk.ts");
  const { tracer, scopes, shutdown } = startSdk(env);

  async function during<T>(span: Span, work: () => Promise<T>): Promise<T> {
    try {
      return await scopes.with(trace.setSpan(scopes.active(), span), work);
    } catch (error) {
      span.setAttribute("error.type", error instanceof VouchsafeError ? error.code : "internal");
      // A denial is an answer; what the service is to blame for is a failure.
      if (!(error instanceof VouchsafeError) || hasCode(error, "internal") || hasCode(error, "unavailable"))
        span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  }

  return {
    request(name, traceparent, attributes) {
      const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parentOf(traceparent));
      const scope = trace.setSpan(ROOT_CONTEXT, span);
      return {
        within: (work) => scopes.with(scope, work),
        end(attributes, isFailed) {
          span.setAttributes(attributes);
          if (isFailed) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    step: (name, work) => during(tracer.startSpan(name, {}, scopes.active()), work),
    current: () => trace.getSpan(scopes.active())?.spanContext(),
    batch(name, of, work) {
      const links = of
        .filter(isSpanContext)
        .slice(0, MAX_LINKS)
        .map((context) => ({ context }));
      return during(tracer.startSpan(name, { links }, ROOT_CONTEXT), work);
    },
    ids() {
      const span = trace.getSpan(scopes.active());
      if (span === undefined) return undefined;
      const { traceId, spanId } = span.spanContext();
      return { traceId, spanId };
    },
    close: shutdown,
  };
}

/** A step of whatever is under way, where anybody asked for traces. */
export function traced<T>(
  { tracing }: { readonly tracing?: Tracing | undefined },
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  return tracing === undefined ? work() : tracing.step(name, work);
}

function isAsked(env: Readonly<Record<string, string | undefined>>): boolean {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === "true" || env.OTEL_TRACES_EXPORTER === "none") return false;
  const endpoint = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT;
  return env.OTEL_TRACES_EXPORTER === "otlp" || Boolean(endpoint);
}

const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** W3C Trace Context §3.2.2; what is malformed is as if it were not there (§4.3). */
function parentOf(traceparent: string | undefined): Context {
  const [all, version, traceId = "", spanId = "", flags = "", more] =
    TRACEPARENT.exec(traceparent ?? "") ?? [];
  if (all === undefined || (version === "00" && more !== undefined)) return ROOT_CONTEXT;
  const parent = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, parent);
}

function isSpanContext(value: unknown): value is SpanContext {
  return typeof value === "object" && value !== null && "traceId" in value;
}
