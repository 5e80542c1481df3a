import { connect } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';
import { NatsCoordination } from '../nats-coordination';
import type { CoordinationMetric, NatsCoordinationOptions } from '../options';

/** How soon replicas find each other dead. */
export type ReplicaTiming = Pick<NatsCoordinationOptions, 'replicaTtlMs' | 'heartbeatIntervalMs'>;

/** For tests of what happens then, which do not prove how soon it is by default. */
export const FAST_TIMING: ReplicaTiming = { replicaTtlMs: 3_000, heartbeatIntervalMs: 500 };

let lastName = 0;

/** Names that no other test uses, in this run or another. */
export function uniqueNames(): NatsCoordinationOptions['names'] {
  const name = `test-${process.pid}-${Date.now().toString(36)}-${++lastName}`;
  return {
    slotBucket: `${name}_SLOTS`,
    replicaBucket: `${name}_REPLICAS`,
    rateSubject: `${name}.rates`,
    presenceSubject: `${name}.presence`,
    sessionDeltaSubject: `${name}.session-deltas`,
  };
}

export interface TestReplica {
  readonly coordination: NatsCoordination;
  readonly metrics: CoordinationMetric[];
  readonly faults: unknown[];
}

/** A replica that NATS counts, or that knows that it is alone. */
export async function openReplica(options: NatsCoordinationOptions): Promise<TestReplica> {
  const metrics: CoordinationMetric[] = [];
  const faults: unknown[] = [];
  const coordination = await new Promise<NatsCoordination>((resolve) => {
    const opened: NatsCoordination = new NatsCoordination({
      ...options,
      onMetric(metric) {
        metrics.push(metric);
        if (metric.kind === 'shared') resolve(opened);
      },
      onFault(error) {
        faults.push(error);
        resolve(opened);
      },
    });
  });
  return { coordination, metrics, faults };
}

/** The replicas of one installation, in this process. */
export class TestReplicas {
  readonly names = uniqueNames();
  private readonly opened: TestReplica[] = [];

  constructor(
    private readonly url: string,
    readonly timing: ReplicaTiming = {},
  ) {}

  async open(overrides: Partial<NatsCoordinationOptions> = {}): Promise<TestReplica> {
    const replica = await openReplica({ servers: this.url, names: this.names, ...this.timing, ...overrides });
    this.opened.push(replica);
    return replica;
  }

  /** Closes all, and removes what they left at the server. */
  async destroy(): Promise<void> {
    await Promise.all(this.opened.map(({ coordination }) => coordination.close()));
    const connection = await connect({ servers: this.url });
    try {
      const { streams } = await jetstreamManager(connection);
      for (const bucket of [this.names.slotBucket, this.names.replicaBucket]) {
        await streams.delete(`KV_${bucket}`).catch(() => false);
      }
    } finally {
      await connection.close();
    }
  }
}
