import { connect } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsCoordination } from '../open-coordination';
import { openNatsCoordination } from '../open-coordination';
import type { CoordinationMetric, NatsCoordinationOptions } from '../options';

let lastName = 0;

/** Names that no other test uses, in this run or another. */
export function uniqueNames(): NatsCoordinationOptions['names'] {
  const name = `test-${process.pid}-${Date.now().toString(36)}-${++lastName}`;
  return {
    slotBucket: `${name}_SLOTS`,
    replicaBucket: `${name}_REPLICAS`,
    rateSubject: `${name}.rates`,
    presenceSubject: `${name}.presence`,
  };
}

export interface TestReplica {
  readonly coordination: NatsCoordination;
  readonly metrics: CoordinationMetric[];
  readonly faults: unknown[];
}

/** The replicas of one installation, in this process. */
export class TestReplicas {
  readonly names = uniqueNames();
  private readonly opened: TestReplica[] = [];

  constructor(private readonly url: string) {}

  async open(overrides: Partial<NatsCoordinationOptions> = {}): Promise<TestReplica> {
    const metrics: CoordinationMetric[] = [];
    const faults: unknown[] = [];
    const coordination = await openNatsCoordination({
      servers: this.url,
      names: this.names,
      onMetric: (metric) => metrics.push(metric),
      onFault: (error) => faults.push(error),
      ...overrides,
    });
    const replica = { coordination, metrics, faults };
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
