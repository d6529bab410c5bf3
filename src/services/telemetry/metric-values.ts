import { Counter, Gauge, type Registry } from "prom-client";

/** Bounds of buckets for durations, in seconds: from an answer out of memory to a request that is nearly given up. */
export const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface Value<Label extends string> {
  readonly labels: Readonly<Partial<Record<Label, string | number>>>;
  readonly value: number;
}

export interface ReadMetric<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly Label[];
  /** What it is now. One that cannot be read now is left out, and the others are told. */
  read(): readonly Value<Label>[] | Promise<readonly Value<Label>[]>;
}

/** A counter that is kept elsewhere, as plain numbers, and read when it is asked for. */
export function readCounter<Label extends string>(registry: Registry, metric: ReadMetric<Label>): void {
  const { name, help, labelNames = [] } = metric;
  new Counter({
    name,
    help,
    labelNames,
    registers: [registry],
    async collect() {
      this.reset();
      for (const { labels, value } of await attempt(metric)) this.inc({ ...labels }, value);
    },
  });
}

/** The same of a value that goes up and down. */
export function readGauge<Label extends string>(registry: Registry, metric: ReadMetric<Label>): void {
  const { name, help, labelNames = [] } = metric;
  new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    async collect() {
      const values = await attempt(metric);
      // Reset, one without labels would stand at 0, which may be a lie.
      if (labelNames.length === 0) this.remove();
      else this.reset();
      for (const { labels, value } of values) this.set({ ...labels }, value);
    },
  });
}

async function attempt<Label extends string>(metric: ReadMetric<Label>): Promise<readonly Value<Label>[]> {
  try {
    return await metric.read();
  } catch {
    return [];
  }
}
