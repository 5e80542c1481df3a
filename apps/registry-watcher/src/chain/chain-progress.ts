import type { BlockRef, ChainConfig } from '@sluice/agent-registry';
import { toSluiceError } from '@sluice/event-log';
import type { Clock } from '../clock';
import type { ChainPhase, ChainReport } from './chain-report';

/** Speeds are those of about this time. */
const SPEED_WINDOW_MS = 30_000;
const SAMPLE_INTERVAL_MS = 1_000;

interface Sample {
  readonly atMs: number;
  readonly block: number;
  readonly events: number;
}

/** How a chain is coming on: what its loop says of it, counted. */
export class ChainProgress {
  private phase: ChainPhase = 'waiting';
  private head: number | undefined;
  private target: number | undefined;
  private cursor: BlockRef | undefined;
  private blockTimeMs: number | undefined;
  private events = 0;
  private samples: Sample[] = [];
  private currentFault: ChainReport['fault'] = null;

  constructor(
    private readonly chain: ChainConfig,
    private readonly clock: Clock,
  ) {}

  started(cursor: BlockRef | undefined): void {
    this.cursor = cursor;
    this.samples = [];
    this.sample();
  }

  /** The newest block, and the newest that is to be worked off. */
  saw(head: number, target: number): void {
    this.head = head;
    this.target = target;
  }

  entered(phase: ChainPhase): void {
    this.phase = phase;
  }

  moved(cursor: BlockRef, events: number, timestamp?: number): void {
    this.cursor = cursor;
    this.events += events;
    if (timestamp !== undefined) this.blockTimeMs = timestamp * 1000;
    const last = this.samples.at(-1);
    if (last === undefined || this.clock.now() - last.atMs >= SAMPLE_INTERVAL_MS) this.sample();
  }

  /** @returns whether that is another fault than before */
  failed(error: unknown): boolean {
    const { code, message } = toSluiceError(error);
    if (this.currentFault?.code === code) return false;
    this.currentFault = { code, message: message.slice(0, 500), since: this.clock.now() };
    return true;
  }

  /** @returns whether there was a fault */
  recovered(): boolean {
    const had = this.currentFault !== null;
    this.currentFault = null;
    return had;
  }

  /** Seconds since the block that was worked off last, while there are newer ones; 0 at the head. */
  lagSeconds(): number {
    if (this.blockTimeMs === undefined || this.lagBlocks() === 0) return 0;
    return Math.max(0, (this.clock.now() - this.blockTimeMs) / 1000);
  }

  report(outboxEvents: number): ChainReport {
    const { chain, head, target } = this;
    const lagBlocks = this.lagBlocks();
    const { blocksPerSecond, eventsPerSecond } = this.speeds();
    const done = (this.cursor?.number ?? chain.startBlock - 1) - chain.startBlock + 1;
    const isBackfill = this.phase === 'backfill';
    return {
      name: chain.name,
      delivery: chain.delivery,
      confirmations: chain.confirmations,
      phase: this.phase,
      startBlock: chain.startBlock,
      block: this.cursor?.number ?? null,
      head: head ?? null,
      lagBlocks: target === undefined ? null : lagBlocks,
      progress:
        target === undefined ? null : rounded(done + lagBlocks <= 0 ? 1 : clamped(done / (done + lagBlocks)), 4),
      blocksPerSecond: rounded(blocksPerSecond, 1),
      eventsPerSecond: rounded(eventsPerSecond, 1),
      secondsLeft: isBackfill && blocksPerSecond > 0 ? Math.ceil(lagBlocks / blocksPerSecond) : null,
      events: this.events,
      outboxEvents,
      fault: this.currentFault,
    };
  }

  private lagBlocks(): number {
    if (this.target === undefined) return 0;
    return Math.max(0, this.target - (this.cursor?.number ?? this.chain.startBlock - 1));
  }

  private speeds(): { blocksPerSecond: number; eventsPerSecond: number } {
    const now = this.clock.now();
    this.samples = this.samples.filter(({ atMs }, index, { length }) => {
      return index === length - 1 || now - atMs <= SPEED_WINDOW_MS;
    });
    const [first] = this.samples;
    if (first === undefined || now <= first.atMs) return { blocksPerSecond: 0, eventsPerSecond: 0 };
    const seconds = (now - first.atMs) / 1000;
    const blocks = (this.cursor?.number ?? first.block) - first.block;
    return {
      blocksPerSecond: Math.max(0, blocks) / seconds,
      eventsPerSecond: Math.max(0, this.events - first.events) / seconds,
    };
  }

  private sample(): void {
    const block = this.cursor?.number ?? this.chain.startBlock - 1;
    this.samples.push({ atMs: this.clock.now(), block, events: this.events });
  }
}

const clamped = (value: number) => Math.min(1, Math.max(0, value));
const rounded = (value: number, digits: number) => Math.round(value * 10 ** digits) / 10 ** digits;
