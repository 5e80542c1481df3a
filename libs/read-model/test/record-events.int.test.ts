import type { Lane } from '@sluice/event-log';
import { sandboxEnvelope, until } from '@sluice/event-log/conformance';
import type { EncodedEnvelope } from '@sluice/event-schema';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { openReadModel, type PrismaReadModel } from '../src';
import { createFreshDatabase } from './fresh-database';

let database: Awaited<ReturnType<typeof createFreshDatabase>>;
let model: PrismaReadModel;

beforeAll(async () => {
  database = await createFreshDatabase();
  model = await openReadModel({ databaseUrl: database.url });
});

afterAll(async () => {
  await model.close();
  await database.drop();
});

const record = (envelopes: readonly EncodedEnvelope[], next = 0) =>
  model.record({ envelopes, parked: [], checkpoints: new Map([[0 as Lane, { from: 0, to: next }]]) });

it('records a batch with as many entities as events, well within the time of a statement', async () => {
  const size = 6_000;
  const envelopes = Array.from({ length: size }, (_, n) => sandboxEnvelope({ entityId: `wide-${n}` }));
  const { recorded } = await record(envelopes);
  expect(recorded.map(({ event }) => event.id)).toEqual(envelopes.map(({ event }) => event.id));
  expect(new Set(recorded.map(({ event }) => event.entitySequence))).toEqual(new Set([1]));
});

it('numbers the events of each entity on, whatever is mixed into a batch', async () => {
  const counts = new Map<string, number>();
  let before = (await model.head()).position;
  let earlier: EncodedEnvelope[] = [];
  for (let batch = 0; batch < 20; batch++) {
    const fresh = Array.from({ length: 1 + ((batch * 7) % 40) }, (_, n) =>
      sandboxEnvelope({ entityId: `mixed-${(batch * 13 + n * n) % 9}`, workspaceId: 1 + (n % 2) }),
    );
    // Some are known already, and some come twice in the batch.
    const { recorded } = await record([...earlier.slice(0, 3), ...fresh, ...fresh.slice(0, 2)], batch);
    expect(recorded.map(({ event }) => event.id)).toEqual(fresh.map(({ event }) => event.id));
    for (const { event } of recorded) {
      const key = `${event.workspaceId}/${event.entityId}`;
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      expect([event.position, event.entitySequence]).toEqual([++before, count]);
    }
    earlier = fresh;
  }
});

it('gives an error where the network has gone silent, and works when it is back', async () => {
  const target = new URL(database.url);
  const sockets: Socket[] = [];
  let isSilent = false;
  const proxy: Server = createServer((inbound) => {
    const outbound = connect(Number(target.port), target.hostname);
    sockets.push(inbound, outbound);
    for (const [from, to] of [
      [inbound, outbound],
      [outbound, inbound],
    ] as const) {
      from.on('data', (chunk) => !isSilent && to.write(chunk));
      from.on('error', () => undefined);
      from.on('close', () => to.destroy());
    }
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => proxy.once('listening', resolve));
  const through = new URL(database.url);
  through.port = String((proxy.address() as { port: number }).port);
  through.hostname = '127.0.0.1';
  const remote = await openReadModel({ databaseUrl: through.href, migrate: false, statementTimeoutMs: 1_500 });
  try {
    const head = await remote.head();
    isSilent = true;
    await expect(remote.head()).rejects.toMatchObject({ code: 'read_model_unavailable' });
    isSilent = false;
    await until(
      () =>
        remote.head().then(
          ({ position }) => position === head.position,
          () => false,
        ),
      'the read model answers again',
      20_000,
    );
  } finally {
    for (const socket of sockets) socket.destroy();
    proxy.close();
    await remote.close();
  }
});
