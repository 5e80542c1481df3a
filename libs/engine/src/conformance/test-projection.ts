import type { Engine } from '../engine';
import type { LogFollower } from '@sluice/event-log';
import { encodeEnvelope, type EventEnvelope } from '@sluice/event-schema';

/** What the projector does, without its app: brings the log into the read model and publishes it. Can be paused. */
export class TestProjection {
  /** Everything that the log holds, in the order of its lanes, duplicates included. */
  readonly logged: EventEnvelope[] = [];
  private open: Promise<void> = Promise.resolve();
  private release: () => void = () => undefined;

  private constructor(private readonly engine: Engine) {}

  static async start(engine: Engine): Promise<TestProjection> {
    const projection = new TestProjection(engine);
    await projection.follow();
    return projection;
  }

  pause(): void {
    this.open = new Promise((resolve) => (this.release = resolve));
  }

  resume(): void {
    this.release();
    this.open = Promise.resolve();
  }

  async stop(): Promise<void> {
    this.resume();
    await this.follower?.stop();
  }

  private follower: LogFollower | undefined;

  private async follow(): Promise<void> {
    const [log, readModel, deliveryLog] = await Promise.all([
      this.engine.durableLog(),
      this.engine.readModel(),
      this.engine.deliveryLog(),
    ]);
    this.follower = await log.follow({
      group: 'test',
      maxBatchRecords: 100,
      loadCheckpoints: (lanes) => readModel.loadCheckpoints(lanes),
      handle: async ({ records, checkpoints }) => {
        const envelopes = records.map(({ value }) => JSON.parse(new TextDecoder().decode(value)) as EventEnvelope);
        this.logged.push(...envelopes);
        await this.open;
        const encoded = envelopes.map((envelope) => encodeEnvelope(envelope));
        const { epoch, recorded } = await readModel.record({ envelopes: encoded, parked: [], checkpoints });
        if (recorded.length > 0) await deliveryLog.publish({ epoch, events: recorded });
      },
    });
  }
}
