import { execFile } from 'node:child_process';
import { rename, rm } from 'node:fs/promises';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { AppHost } from '@sluice/engine';
import { BEFORE_FIRST, type LogEntity } from '@sluice/event-log';
import { readTexts, until } from '@sluice/event-log/conformance';
import { startLocalPostgres, type LocalPostgres } from '@sluice/local-postgres';
import { EngineWorld } from './engine-world';
import { Reader } from './reader';
import { openHost } from './replica';
import { envelope, range } from './tools';

const run = promisify(execFile);

const ERASED: LogEntity = { workspaceId: 1, family: 'sandbox', entityId: 'sandbox-erased' };

/** A PostgreSQL at one address for good, that can be put back to an earlier time, as by a failover that loses commits. */
class ReplacedPostgres {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private postgres: LocalPostgres | undefined;

  private constructor(private readonly dataDir: string) {
    this.server = createServer((socket) => this.forward(socket));
  }

  static async start(dataDir: string): Promise<ReplacedPostgres> {
    const replaced = new ReplacedPostgres(dataDir);
    await new Promise<void>((resolve) => replaced.server.listen(0, '127.0.0.1', resolve));
    replaced.postgres = await startLocalPostgres({ dataDir });
    return replaced;
  }

  get databaseUrl(): string {
    const url = new URL(this.postgres?.databaseUrl ?? '');
    url.port = String((this.server.address() as AddressInfo).port);
    return url.href;
  }

  /** Keeps what it has for `putBack`. */
  async copy(): Promise<void> {
    // With the owner of the files, who may be another user.
    await this.whileStopped(async () => void (await run('cp', ['-a', this.folder, `${this.folder}-copy`])));
  }

  async putBack(): Promise<void> {
    await this.whileStopped(async () => {
      await rm(this.folder, { recursive: true });
      await rename(`${this.folder}-copy`, this.folder);
    });
  }

  async stop(): Promise<void> {
    await this.halt();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private get folder(): string {
    return join(this.dataDir, 'postgres');
  }

  private async whileStopped(change: () => Promise<void>): Promise<void> {
    await this.halt();
    await change();
    this.postgres = await startLocalPostgres({ dataDir: this.dataDir });
  }

  private async halt(): Promise<void> {
    const { postgres } = this;
    this.postgres = undefined;
    for (const socket of this.sockets) socket.destroy();
    await postgres?.stop();
  }

  private forward(socket: Socket): void {
    const port = this.postgres && Number(new URL(this.postgres.databaseUrl).port);
    if (!port) return void socket.destroy();
    const behind = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [socket, behind],
      [behind, socket],
    ] as const) {
      this.sockets.add(one);
      one.pipe(other);
      one.on('error', () => undefined);
      one.on('close', () => {
        this.sockets.delete(one);
        other.destroy();
      });
    }
  }
}

describe('commits of PostgreSQL that are lost while everything runs', () => {
  let world: EngineWorld<ReplacedPostgres>;
  let hosts: readonly [AppHost, AppHost];
  const acknowledged: string[] = [];

  beforeAll(async () => {
    const settings = { SLUICE_LOG_KEY_MAX_AGE: '2s', SLUICE_KAFKA_PARTITIONS: '4' };
    world = await EngineWorld.startOn((dataDir) => ReplacedPostgres.start(dataDir), 'cluster', settings);
    hosts = [await world.replica(), await world.replica()];
  });
  afterAll(() => world.stop());

  const host = () => hosts[0];
  const append = async (count: number, entityOf: (n: number) => string) => {
    const events = range(1, count).map((n) => envelope({ entityId: entityOf(n), data: { n } }));
    await world.store(host(), events);
    const ids = events.map(({ event }) => event.id);
    if (entityOf(0) !== ERASED.entityId) acknowledged.push(...ids);
    return ids;
  };
  const many = (n: number) => `sandbox-${n % 20}`;
  const recordedIds = async () => {
    const model = await host().engine.readModel();
    const { position } = await model.head();
    const { events } = await model.readAll({ after: BEFORE_FIRST, upTo: position, limit: 100_000 });
    return events.map(({ event }) => event.id);
  };
  const readableIds = async (from: AppHost) =>
    (await readTexts(await from.engine.durableLog())).map((text) => (JSON.parse(text) as { id: string }).id);
  const all = (ids: readonly string[]) =>
    until(async () => {
      const recorded = new Set(await recordedIds().catch(() => []));
      return ids.every((id) => recorded.has(id));
    }, 'all is recorded');
  const head = async () => (await host().engine.readModel()).head();
  const eraseKeys = async () => {
    const { erasure } = await host().engine.durableLog();
    const { mark } = await erasure.begin(ERASED);
    await until(() => erasure.isReady(ERASED, mark), 'the erasure can end');
    await erasure.finish(ERASED, mark, (async function* () {})());
  };

  it('has every acknowledged event once, every key, and no destroyed one, while nothing new comes (G1, G2)', async () => {
    await all(await append(200, many));
    const secrets = await append(3, () => ERASED.entityId);
    await all(secrets);
    await world.postgres.copy();
    await all(await append(300, (n) => (n % 2 ? many(n) : `sandbox-late-${n}`)));
    await eraseKeys();
    await world.postgres.putBack();
    await all(acknowledged);
    const recorded = await recordedIds();
    expect(new Set(recorded).size).toBe(recorded.length);
    expect([...recorded].sort()).toEqual([...acknowledged, ...secrets].sort());
    // By a process that ran all the time, and by one that has just come.
    const isErased = async () => (await readableIds(host())).every((id) => !secrets.includes(id));
    await until(isErased, 'the key is destroyed again');
    const stranger = openHost({ ...world.env });
    expect((await readableIds(stranger)).sort()).toEqual([...acknowledged].sort());
    await stranger.close();
  });

  it('has every event that comes after those that were lost, and those (G1)', async () => {
    await world.postgres.copy();
    await all(await append(100, many));
    await world.postgres.putBack();
    // In the moments after: nobody has looked yet what is stored.
    for (const n of range(1, 10)) await append(20, (m) => `sandbox-${(n + m) % 20}`);
    await all(acknowledged);
    const recorded = await recordedIds();
    expect(new Set(recorded).size).toBe(recorded.length);
  });

  it('resets those who were told positions that are given a second time (G3, G4)', async () => {
    await all(acknowledged);
    const readers = await Promise.all(hosts.map((each) => Reader.start(each, 'latest')));
    await world.postgres.copy();
    const told = await append(50, many);
    await until(() => readers.every(({ ids }) => told.every((id) => ids.includes(id))), 'they are told');
    const before = await head();
    await world.postgres.putBack();
    await until(async () => (await head().catch(() => before)).epoch !== before.epoch, 'a new epoch begins');
    await all(acknowledged);
    await until(() => readers.every(({ resets }) => resets.length > 0), 'they are reset');
    const later = await append(30, many);
    await until(() => readers.every(({ ids }) => later.every((id) => ids.includes(id))), 'they go on');
    for (const { resets } of readers) expect(new Set(resets)).toEqual(new Set(['epoch_changed']));
    const { epoch } = await head();
    for (const reader of readers) reader.close();
    // One for each failover, not one for each process that noticed.
    expect((await head()).epoch).toBe(epoch);
  });
});
