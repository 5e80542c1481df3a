import { readdir, readFile } from 'node:fs/promises';

interface Sample {
  readonly residentBytes: number;
  readonly descriptors: number;
}

const SAMPLE_INTERVAL_MS = 5_000;
const PAGE_BYTES = 4_096;
const RESIDENT_PAGES = 1;
/** Samples below which a trend is no trend: a run of some minutes. */
const LEAST_SAMPLES = 60;
/** Growth from the second quarter to the last that is more than noise: of memory in bytes and as a share, and of descriptors. */
const GROWTH = { bytes: 40 << 20, share: 0.25, descriptors: 25 };

/** What processes take of memory and descriptors, sampled while they work. */
export class Usage {
  private readonly samples = new Map<string, Sample[]>();
  private timer: NodeJS.Timeout | undefined;
  private sampling: Promise<void> = Promise.resolve();

  /** @param pids of the processes by name, as they are now */
  constructor(private readonly pids: () => Promise<Readonly<Record<string, number>>>) {}

  start(): void {
    this.timer = setInterval(() => {
      this.sampling = this.sampling.then(() => this.sample());
    }, SAMPLE_INTERVAL_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.sampling;
  }

  /** First, middle and last of each process. */
  summary(): readonly string[] {
    return [...this.samples].map(([name, samples]) => {
      const show = (sample: Sample | undefined) =>
        sample === undefined ? '-' : `${Math.round(sample.residentBytes / 2 ** 20)} MiB/${sample.descriptors}`;
      const middle = samples[Math.floor(samples.length / 2)];
      return `${name}: memory/descriptors ${show(samples[0])} ${show(middle)} ${show(samples.at(-1))}`;
    });
  }

  /** Processes that took more and more. */
  growth(): readonly string[] {
    return [...this.samples].flatMap(([name, samples]) => {
      if (samples.length < LEAST_SAMPLES) return [];
      const quarter = Math.floor(samples.length / 4);
      const before = samples.slice(quarter, 2 * quarter);
      const after = samples.slice(-quarter);
      const memory = [median(before, 'residentBytes'), median(after, 'residentBytes')] as const;
      const descriptors = [median(before, 'descriptors'), median(after, 'descriptors')] as const;
      const limit = memory[0] + Math.max(GROWTH.bytes, memory[0] * GROWTH.share);
      return [
        ...(memory[1] > limit ? [`memory of ${name} grew from ${memory[0]} to ${memory[1]} bytes`] : []),
        ...(descriptors[1] > descriptors[0] + GROWTH.descriptors
          ? [`descriptors of ${name} grew from ${descriptors[0]} to ${descriptors[1]}`]
          : []),
      ];
    });
  }

  private async sample(): Promise<void> {
    for (const [name, pid] of Object.entries(await this.pids())) {
      const sample = await readSample(pid);
      if (sample) this.samples.set(name, [...(this.samples.get(name) ?? []), sample]);
    }
  }
}

/** Undefined for a process that has just gone. */
async function readSample(pid: number): Promise<Sample | undefined> {
  try {
    const [memory, descriptors] = await Promise.all([
      readFile(`/proc/${pid}/statm`, 'utf8'),
      readdir(`/proc/${pid}/fd`),
    ]);
    return {
      residentBytes: Number(memory.split(' ')[RESIDENT_PAGES]) * PAGE_BYTES,
      descriptors: descriptors.length,
    };
  } catch {
    return undefined;
  }
}

function median(samples: readonly Sample[], of: keyof Sample): number {
  const sorted = samples.map((sample) => sample[of]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
