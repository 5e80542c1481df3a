import { encodeEnvelope, newEventId, recordEnvelope, type EncodedRecordedEvent } from '@sluice/event-schema';
import { toEpoch, toPosition, type DeliveryFollower, type DeliveryLog, type RecordedRun } from '@sluice/event-log';
import { openJetStreamDeliveryLog, type JetStreamDeliveryLog } from '../jetstream-delivery-log';
import type { JetStreamDeliveryLogOptions } from '../options';

let lastName = 0;

/** Names that no other test uses, in this run or another. */
export function uniqueNames(): { readonly stream: string; readonly subject: string } {
  const name = `test-${process.pid}-${Date.now().toString(36)}-${++lastName}`;
  return { stream: name, subject: `${name}.recorded` };
}

export const TEST_RETENTION = { maxAgeMs: 600_000, maxBytes: 64 * 1024 * 1024, maxMessages: 100_000 } as const;

export function openTestLog(
  servers: string,
  names: { stream: string; subject: string },
  overrides: Partial<JetStreamDeliveryLogOptions> = {},
): Promise<JetStreamDeliveryLog> {
  return openJetStreamDeliveryLog({ servers, ...names, retention: TEST_RETENTION, ...overrides });
}

/** A run of recorded events with the positions from `first` to `last`. */
export function testRun(first: number, last = first, data: Record<string, unknown> = {}): RecordedRun {
  const events = range(first, last).map((n): EncodedRecordedEvent => {
    const envelope = encodeEnvelope({
      id: newEventId(),
      family: 'sandbox',
      entityId: 'sandbox-123',
      workspaceId: 1,
      type: 'execution.completed',
      schemaVersion: 1,
      occurredAt: 1_700_000_000_000,
      data,
    });
    return recordEnvelope(envelope, { position: toPosition(n), entitySequence: n, recordedAt: 1 });
  });
  return { epoch: toEpoch('0000abcd'), events };
}

/** A follower that remembers positions and faults. */
export class Collector {
  readonly positions: number[] = [];
  readonly faults: unknown[] = [];
  /** How often it was told to forget. */
  forgotten = 0;
  follower: DeliveryFollower | undefined;

  async follow(log: DeliveryLog): Promise<this> {
    this.follower = await log.follow({
      onRun: ({ events }) => this.positions.push(...events.map(({ event }) => event.position)),
      onForgotten: () => this.forgotten++,
      onFault: (error) => this.faults.push(error),
    });
    return this;
  }

  has(position: number): boolean {
    return this.positions.includes(position);
  }
}

export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, n) => first + n);
}
