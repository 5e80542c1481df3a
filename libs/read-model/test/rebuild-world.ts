import type { RebuildPositions, RebuildWork } from '@sluice/event-log';
import { sandboxEnvelope, ScriptedLog } from '@sluice/event-log/conformance';
import { Client } from 'pg';
import { openReadModel, type PrismaReadModel, type ReadModelOptions } from '../src';
import { createMigratedDatabase, type FreshDatabase } from './fresh-database';

/** A live model of 20 events of 4 entities, the log that it has them from, and what tests of rebuilds do to it. */
export class RebuildWorld {
  readonly log = new ScriptedLog();

  private constructor(
    readonly database: FreshDatabase,
    readonly client: Client,
    private opened: PrismaReadModel,
  ) {}

  static async create(): Promise<RebuildWorld> {
    const database = await createMigratedDatabase();
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const world = new RebuildWorld(database, client, await openReadModel({ databaseUrl: database.url }));
    world.log.append(0, ...Array.from({ length: 20 }, (_, n) => sandboxEnvelope({ entityId: `sandbox-${n % 4}` })));
    await world.model.record(world.log.recordBatch(0, 0));
    return world;
  }

  get model(): PrismaReadModel {
    return this.opened;
  }

  async reopen(options: Partial<ReadModelOptions>): Promise<void> {
    await this.opened.close();
    this.opened = await openReadModel({ databaseUrl: this.database.url, ...options });
  }

  /** All that the log has is copied. */
  async begin(positions: RebuildPositions = 'keep'): Promise<RebuildWork> {
    const { rebuilds } = this.model;
    await rebuilds.request({ positions, dropOld: false });
    const work = await rebuilds.claim('test', 60_000);
    if (!work) throw new Error('there is nothing to build');
    await work.prepare();
    await this.log.bringTo(work, 100);
    return work;
  }

  async settled(work: RebuildWork): Promise<boolean> {
    const { events, records } = await work.remainder(this.log);
    return events + records === 0;
  }

  async switched(positions?: RebuildPositions): Promise<void> {
    const work = await this.begin(positions);
    expect(await work.switchOver(() => this.settled(work))).toBe('switched');
  }

  async destroy(): Promise<void> {
    await this.client.end();
    await this.opened.close();
    await this.database.drop();
  }
}
