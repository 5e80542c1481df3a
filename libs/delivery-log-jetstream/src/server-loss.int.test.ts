import { connect, headers } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';
import { until } from '@sluice/event-log/conformance';
import { OwnServer } from '@sluice/nats-connection/conformance';
import type { JetStreamDeliveryLog } from './jetstream-delivery-log';
import type { JetStreamDeliveryLogOptions } from './options';
import { Collector, openTestLog, range, testRun, uniqueNames } from './testing/test-log';

/** Publishes until it succeeds, as the one publisher of an installation does. */
async function publishForSure(log: JetStreamDeliveryLog, position: number): Promise<void> {
  await until(async () => {
    try {
      await log.publish(testRun(position));
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: 'delivery_log_unavailable' });
      return false;
    }
  }, `run ${position} is published`);
}

describe('JetStreamDeliveryLog when its server is lost', () => {
  let server: OwnServer;
  let opened: JetStreamDeliveryLog[] = [];

  beforeAll(async () => {
    server = await OwnServer.start();
  });
  afterAll(() => server?.stop());
  afterEach(async () => {
    await Promise.all(opened.map((log) => log.close()));
    opened = [];
  });

  const open = async (
    names: { stream: string; subject: string },
    overrides: Partial<JetStreamDeliveryLogOptions> = {},
  ) => {
    const log = await openTestLog(server.url, names, overrides);
    opened.push(log);
    return log;
  };

  it.each([
    ['stopped', { signal: 'SIGTERM', wipeData: false }],
    ['killed', { signal: 'SIGKILL', wipeData: false }],
    ['killed and emptied', { signal: 'SIGKILL', wipeData: true }],
  ] as const)('goes on by itself, from where it was, after the server was %s', async (_, how) => {
    const names = uniqueNames();
    const [publisher, reader] = [await open(names), await open(names)];
    const collector = await new Collector().follow(reader);
    for (const n of range(1, 20)) await publisher.publish(testRun(n));
    await until(() => collector.has(20), 'the runs before arrive');
    const restarted = server.restart(how);
    for (const n of range(21, 60)) await publishForSure(publisher, n);
    await restarted;
    await publishForSure(publisher, 61);
    await until(() => collector.has(61), 'the last run arrives');
    // While data are kept nothing is missing; a wiped server may lose what it had acknowledged just before.
    const missing = range(1, 61).filter((n) => !collector.has(n));
    if (how.wipeData) expect(missing.every((n) => n > 20 && n < 61)).toBe(true);
    else expect(missing).toEqual([]);
    await publisher.check();
    await reader.check();
  });

  it('delivers what was published while only the follower was away', async () => {
    const names = uniqueNames();
    const [publisher, reader] = [await open(names), await open(names)];
    const collector = await new Collector().follow(reader);
    await publisher.publish(testRun(1));
    await until(() => collector.has(1), 'the first run arrives');
    await server.restart({ signal: 'SIGKILL', wipeData: false });
    const nats = await connect({ servers: server.url });
    const manager = await jetstreamManager(nats);
    // Stored by another connection at once, whether or not the follower is back.
    const epoch = headers();
    epoch.set('Sluice-Epoch', '0000abcd');
    for (const n of range(2, 10)) {
      await nats.request(names.subject, testRun(n).events[0]?.json, { headers: epoch, timeout: 5_000 });
    }
    await until(() => collector.has(10), 'all runs arrive');
    expect(collector.positions).toEqual(range(1, 10));
    expect((await manager.streams.info(names.stream)).state.messages).toBe(10);
    await nats.close();
  });

  it('rejects what is in flight when the connection breaks, without waiting for the time-out', async () => {
    const log = await open(uniqueNames(), { publishTimeoutMs: 600_000 });
    const results: Promise<unknown>[] = [];
    const restarted = server.restart({ signal: 'SIGKILL', wipeData: false });
    let failed = false;
    await until(() => {
      results.push(log.publish(testRun(results.length + 1)).catch((error: unknown) => ((failed = true), error)));
      return failed;
    }, 'a publish fails');
    const errors = (await Promise.all(results)).filter((result) => result !== undefined);
    expect(errors.every((error) => (error as { code?: string }).code === 'delivery_log_unavailable')).toBe(true);
    await restarted;
    await until(
      () =>
        log.check().then(
          () => true,
          () => false,
        ),
      'the log is back',
    );
  });
});
