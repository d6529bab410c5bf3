/** The result of a bench: what `--json` prints as its last line. */
export interface BenchResult {
  readonly bench: string;
  readonly rows: readonly { readonly name: string; readonly median: number; readonly unit: string }[];
  readonly ratios: Readonly<Record<string, number>>;
}

/** One contender: `run` does `count` operations, from as many clients as it has. */
export interface Contender {
  readonly name: string;
  run(count: number): Promise<void>;
}

export interface Rounds {
  readonly rounds: number;
  /** Milliseconds that one round of one contender takes, roughly. */
  readonly duration: number;
  /** The clock that rounds are timed by, in seconds: the wall's, unless it is given. */
  readonly clock?: () => number;
}

const wallSeconds = (): number => performance.now() / 1000;

/** CPU time of this process with all its threads, which is not lost to whatever else the machine does. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/**
 * Operations a second of each contender: medians over rounds that are interleaved, so that whatever else the
 * machine does meets all of them alike. The number of operations of a round is found by trial beforehand.
 */
export async function compare(
  contenders: readonly Contender[],
  { rounds, duration, clock = wallSeconds }: Rounds,
): Promise<number[]> {
  const counts: number[] = [];
  for (const contender of contenders) counts.push(await countFor(contender, duration, clock));
  const rates: number[][] = contenders.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [i, contender] of contenders.entries()) {
      const count = counts[i] ?? 0;
      rates[i]?.push(count / (await secondsOf(() => contender.run(count), clock)));
    }
  }
  return rates.map(median);
}

/** Enough operations to last the duration, by a run that warms up and one that measures. */
async function countFor(contender: Contender, duration: number, clock: () => number): Promise<number> {
  const trial = 256;
  await contender.run(trial);
  const seconds = await secondsOf(() => contender.run(trial), clock);
  return Math.max(trial, Math.round((trial / seconds) * (duration / 1000)));
}

async function secondsOf(run: () => Promise<void>, clock: () => number): Promise<number> {
  const start = clock();
  await run();
  return clock() - start;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = low] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/** Runs `count` operations from as many clients, each of which waits for an answer before it goes on. */
export async function fromClients(
  clients: number,
  count: number,
  operation: () => Promise<void>,
): Promise<void> {
  let left = count;
  const client = async () => {
    while (left > 0) {
      left -= 1;
      await operation();
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}
