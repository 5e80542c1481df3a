import {
  MemoryDurableLog,
  MemoryEntityKeys,
  type ByteLog,
  type EntityKeys,
  type Lane,
  type LogEntity,
} from '@sluice/event-log';
import { readTexts, sandboxEnvelope, until } from '@sluice/event-log/conformance';
import { newEventId, type EncodedEnvelope } from '@sluice/event-schema';
import { SealedDurableLog, type SealedDurableLogOptions, type SealedLogMetric } from '../src';

export const ENTITY: LogEntity = { workspaceId: 1, family: 'sandbox', entityId: 'sandbox-1' };

/** Of clients for which no key grows old. */
export const LIMITS = { keyMaxAgeMs: 60_000, catchUpGraceMs: 1 };

export const range = (count: number) => Array.from({ length: count }, (_, n) => n);

export const event = (n: number, entity: LogEntity = ENTITY) =>
  sandboxEnvelope({ ...entity, id: newEventId(), data: { n } });

export async function* batches(...events: readonly (readonly EncodedEnvelope[])[]) {
  yield* events;
}

export interface JournalLine {
  readonly keyId: string;
  readonly key?: string;
}

/** A log, its journal of keys and their index, in memory, with every client that a test opens on them. */
export class SealedWorld {
  readonly log = new MemoryDurableLog();
  readonly journal = new MemoryDurableLog({ lanes: 1 });
  keys: EntityKeys = new MemoryEntityKeys();
  readonly metrics: SealedLogMetric[] = [];
  readonly faults: unknown[] = [];
  private readonly opened: SealedDurableLog[] = [];

  open(overrides: Partial<SealedDurableLogOptions> = {}): SealedDurableLog {
    const opened = new SealedDurableLog({
      log: shared(this.log),
      journal: shared(this.journal),
      keys: this.keys,
      sealing: true,
      limits: { keyMaxAgeMs: 300, catchUpGraceMs: 1 },
      onMetric: (metric) => this.metrics.push(metric),
      onFault: (error) => this.faults.push(error),
      ...overrides,
    });
    this.opened.push(opened);
    return opened;
  }

  /** A client that looks everything up anew, and for which no key grows old. */
  reader(): SealedDurableLog {
    return this.open({ limits: LIMITS });
  }

  get made(): number {
    return this.metrics.reduce((sum, metric) => sum + (metric.name === 'keys_looked_up' ? metric.made : 0), 0);
  }

  count(name: 'erased_records_skipped' | 'unreadable_records'): number {
    return this.metrics.reduce((sum, metric) => sum + (metric.name === name ? metric.records : 0), 0);
  }

  /** What is stored, as a plain reader of the log sees it. */
  async stored(): Promise<readonly Uint8Array[]> {
    const values: Uint8Array[] = [];
    const expected = [...(await this.log.ends()).values()].reduce((sum, end) => sum + end, 0);
    const reached = new Map<Lane, number>();
    const follower = await this.log.follow({
      group: 'plain',
      maxBatchRecords: 1_000,
      loadCheckpoints: async () => new Map(reached),
      handle: async ({ records, checkpoints }) => {
        values.push(...records.map(({ value }) => value));
        for (const [lane, { to }] of checkpoints) reached.set(lane, to);
      },
    });
    await until(() => values.length >= expected, 'all is read');
    await follower.stop();
    return values;
  }

  async journalled(): Promise<readonly JournalLine[]> {
    return (await readTexts(this.journal)).map((text) => JSON.parse(text) as JournalLine);
  }

  async destroy(): Promise<void> {
    await Promise.all(this.opened.map((log) => log.close()));
    await this.log.close();
    await this.journal.close();
  }
}

/** A client of a log that others go on using when it is closed. */
export function shared(log: ByteLog): ByteLog {
  return {
    appendEntries: (entries) => log.appendEntries(entries),
    follow: (options) => log.follow(options),
    ends: () => log.ends(),
    starts: () => log.starts(),
    check: () => log.check(),
    close: async () => undefined,
  };
}
