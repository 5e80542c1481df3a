import {
  SluiceError,
  type DeliveryFollower,
  type DeliveryLog,
  type Lane,
  type LogRecord,
  type RecordedRun,
} from '@sluice/event-log';
import { encodeEnvelope, newEventId, type EncodedEnvelope, type EventEnvelope } from '@sluice/event-schema';
import { createLogger, MetricsRegistry } from '@sluice/service-runtime';
import { createProjectorSignals, type ProjectorSignals } from '../src/signals';

/** Whole numbers from `from` to `to`, both included. */
export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, n) => from + n);

export function envelope(overrides: Partial<EventEnvelope> = {}): EncodedEnvelope {
  return encodeEnvelope({
    id: newEventId(),
    family: 'sandbox',
    entityId: 'sandbox-123',
    workspaceId: 1,
    type: 'custom',
    schemaVersion: 1,
    occurredAt: 1_700_000_000_000,
    data: {},
    ...overrides,
  });
}

export function logRecord(value: Uint8Array | string, index = 0): LogRecord {
  return {
    lane: 0 as Lane,
    index,
    value: typeof value === 'string' ? new TextEncoder().encode(value) : value,
    appendedAt: Date.now(),
  };
}

/** The real signals, and a look at what they count. */
export class TestSignals {
  private readonly metrics = new MetricsRegistry();
  private readonly lines: Record<string, unknown>[] = [];
  readonly signals: ProjectorSignals = createProjectorSignals(
    this.metrics,
    createLogger({
      service: 'projector',
      level: 'debug',
      destination: { write: (line) => void this.lines.push(JSON.parse(line) as Record<string, unknown>) },
    }),
  );

  /** The fields of all log lines with this message. */
  logged(message: string): Record<string, unknown>[] {
    return this.lines
      .filter((line) => line['message'] === message)
      .map(({ time: _time, service: _service, message: _message, ...fields }) => fields);
  }

  /** The value of a metric, with its labels as they are written; 0 when it is absent. */
  async value(name: string): Promise<number> {
    const line = (await this.metrics.expose()).split('\n').find((text) => text.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1) ?? 0);
  }
}

/** A delivery log that keeps what it is given, and fails or waits as it is told. */
export class RecordingDeliveryLog implements DeliveryLog {
  readonly runs: RecordedRun[] = [];
  /** Calls of `publish`, failed ones too. */
  attempts = 0;
  failNext = 0;
  private gate: Promise<void> = Promise.resolve();
  private open: () => void = () => undefined;

  /** Everything published, in the order of publication. */
  get positions(): number[] {
    return this.runs.flatMap(({ events }) => events.map(({ event }) => event.position as number));
  }

  pause(): void {
    this.gate = new Promise((resolve) => (this.open = resolve));
  }

  resume(): void {
    this.open();
  }

  async publish(run: RecordedRun): Promise<void> {
    this.attempts++;
    await this.gate;
    if (this.failNext > 0) {
      this.failNext--;
      throw new SluiceError('delivery_log_unavailable', 'The delivery log is away');
    }
    this.runs.push(run);
  }

  async forget(): Promise<void> {
    await this.gate;
  }

  follow(): Promise<DeliveryFollower> {
    return Promise.resolve({ stop: () => Promise.resolve() });
  }

  check(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
