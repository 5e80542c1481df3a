import { readdir, readFile } from 'node:fs/promises';
import type { Pids } from './processes';

/** What a process took at one moment. */
export interface Sample {
  readonly pid: number;
  readonly residentBytes: number;
  readonly descriptors: number;
}

const SAMPLE_INTERVAL_MS = 5_000;
const PAGE_BYTES = 4_096;
const RESIDENT_PAGES = 1;
/** Samples below which a trend is no trend: a run of some minutes. */
const LEAST_SAMPLES = 60;
/** Growth from the second quarter to the last that is more than noise: of memory in bytes and as a share, and of others. */
const GROWTH = { bytes: 40 << 20, share: 0.25, descriptors: 25, lagEvents: 200 };

/** What processes take of memory and descriptors, and how far the projections are behind, sampled while they work. */
export class Usage {
  private readonly samples = new Map<string, Sample[]>();
  private readonly lags: number[] = [];
  private timer: NodeJS.Timeout | undefined;
  private sampling: Promise<void> = Promise.resolve();

  /**
   * @param pids of the processes by name, as they are now
   * @param lagEvents how many events are not projected yet
   */
  constructor(
    private readonly pids: () => Promise<Pids>,
    private readonly lagEvents: () => Promise<number>,
  ) {}

  start(): void {
    this.timer = setInterval(() => {
      this.sampling = this.sampling.then(() => this.sample());
    }, SAMPLE_INTERVAL_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.sampling;
  }

  /** How many samples there are of the process that has the fewest. */
  get count(): number {
    const counts = [...this.samples.values()].map(({ length }) => length);
    return counts.length === 0 ? 0 : Math.min(...counts, this.lags.length);
  }

  /** First, middle and last of each process, and of the lag. */
  summary(): readonly string[] {
    const series = <T>(all: readonly T[], show: (one: T) => string) =>
      [all[0], all[Math.floor(all.length / 2)], all.at(-1)]
        .map((one) => (one === undefined ? '-' : show(one)))
        .join(' ');
    return [
      ...[...this.samples].map(([name, samples]) => `${name}: memory/descriptors ${series(samples, formatSample)}`),
      `lag in events: ${series(this.lags, String)}, most ${Math.max(0, ...this.lags)}`,
    ];
  }

  /** What took more and more, and processes that did not live all the time. */
  growth(): readonly string[] {
    return [...[...this.samples].flatMap(([name, samples]) => growthOf(name, samples)), ...growthOfLag(this.lags)];
  }

  private async sample(): Promise<void> {
    this.lags.push(await this.lagEvents());
    for (const [name, pid] of Object.entries(await this.pids())) {
      const sample = await readSample(pid);
      if (sample) this.samples.set(name, [...(this.samples.get(name) ?? []), sample]);
    }
  }
}

/** What is wrong with what a process took, one sample after the other; nothing where there are too few for a trend. */
export function growthOf(name: string, samples: readonly Sample[]): readonly string[] {
  const memory = quarters(samples.map(({ residentBytes }) => residentBytes));
  const descriptors = quarters(samples.map(({ descriptors: count }) => count));
  const processes = new Set(samples.map(({ pid }) => pid)).size;
  return [
    ...(processes > 1 ? [`${name} was ${processes} processes`] : []),
    ...(memory && memory.after > memory.before + Math.max(GROWTH.bytes, memory.before * GROWTH.share)
      ? [`memory of ${name} grew from ${memory.before} to ${memory.after} bytes`]
      : []),
    ...(descriptors && descriptors.after > descriptors.before + GROWTH.descriptors
      ? [`descriptors of ${name} grew from ${descriptors.before} to ${descriptors.after}`]
      : []),
  ];
}

/** The same for the lag of the projections, in events. */
export function growthOfLag(lags: readonly number[]): readonly string[] {
  const lag = quarters(lags);
  return lag && lag.after > lag.before + GROWTH.lagEvents
    ? [`the lag grew from ${lag.before} to ${lag.after} events`]
    : [];
}

/** What is usual in the second quarter, when all is warm, and in the last one; undefined where there is too little. */
function quarters(values: readonly number[]): { readonly before: number; readonly after: number } | undefined {
  if (values.length < LEAST_SAMPLES) return undefined;
  const quarter = Math.floor(values.length / 4);
  return { before: median(values.slice(quarter, 2 * quarter)), after: median(values.slice(-quarter)) };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function formatSample({ residentBytes, descriptors }: Sample): string {
  return `${Math.round(residentBytes / 2 ** 20)} MiB/${descriptors}`;
}

/** Undefined for a process that has just gone. */
async function readSample(pid: number): Promise<Sample | undefined> {
  try {
    const [memory, descriptors] = await Promise.all([
      readFile(`/proc/${pid}/statm`, 'utf8'),
      readdir(`/proc/${pid}/fd`),
    ]);
    return {
      pid,
      residentBytes: Number(memory.split(' ')[RESIDENT_PAGES]) * PAGE_BYTES,
      descriptors: descriptors.length,
    };
  } catch {
    return undefined;
  }
}
