import { readFileSync } from 'node:fs';
import { describeConnectionSlots } from '@sluice/access/conformance';
import { describeSessionDeltas } from '@sluice/agent-sessions/conformance';
import { NatsCoordination } from '@sluice/coordination-nats';
import type { KafkaLogLine } from '@sluice/durable-log-kafka';
import { describePresenceBoard } from '@sluice/delivery/conformance';
import { openJetStreamDeliveryLog } from '@sluice/delivery-log-jetstream';
import { MemoryEntityKeys, type Lane } from '@sluice/event-log';
import { describeDeliveryLog, sandboxEnvelope, until } from '@sluice/event-log/conformance';
import { brokerNames } from '@sluice/event-schema';
import { createLogger, MetricsRegistry, parseSettings, readEnv } from '@sluice/service-runtime';
import { hostSettings, toHostConfig } from '../src';
import { createEngineSignals, type EngineSignals } from '../src/engine-signals';
import { openSealedKafkaLog } from '../src/open-sealed-log';
import { documentedKafkaRights, documentedPermissions } from './documented-rights';
import { SecuredBrokers } from './secured-brokers';

/** Installations with one user each, so that each test has the names of the page and nothing of another test. */
const PREFIXES = Array.from({ length: 50 }, (_, n) => `sluice-${n}`);

let brokers: SecuredBrokers;
let used = 0;

beforeAll(async () => {
  brokers = await SecuredBrokers.start({
    nats: PREFIXES.map((user) => ({ user, permissions: documentedPermissions(user) })),
    kafka: [...documentedKafkaRights('sluice'), ...documentedKafkaRights('blind', 'describe configs')],
  });
}, 120_000);
afterAll(() => brokers?.stop());

/** A user of NATS that nobody was yet, and the names that it may use. */
function nextUser() {
  const user = PREFIXES[used++];
  if (user === undefined) throw new Error('There are not as many users as tests');
  const { natsUrl, password } = brokers.addresses;
  return {
    names: brokerNames(user),
    address: { servers: natsUrl, user, pass: password, tls: { caFile: brokers.caFile } },
  };
}

/** What is opened is closed with the test, and NATS has complained of nobody by then. */
function world<T extends { close(): Promise<void> }>(open: (user: ReturnType<typeof nextUser>) => Promise<T>) {
  const user = nextUser();
  const opened: T[] = [];
  return {
    open: async () => {
      const one = await open(user);
      opened.push(one);
      return one;
    },
    destroy: async () => {
      await Promise.all(opened.map((one) => one.close()));
      expect(violations()).toEqual([]);
    },
  };
}

const violations = () =>
  readFileSync(brokers.addresses.natsLogFile, 'utf8')
    .split('\n')
    .filter((line) => line.includes('Violation'));

describe('a user of NATS with the permissions of the page about deployments', () => {
  describeDeliveryLog('with these permissions', async () =>
    world(({ names, address }) =>
      openJetStreamDeliveryLog({
        ...address,
        stream: names.stream,
        subject: names.recordedSubject,
        retention: { maxAgeMs: 600_000, maxBytes: 64 * 1024 * 1024, maxMessages: 100_000 },
      }),
    ),
  );

  const coordinations = () =>
    world(async ({ names, address }) => {
      const coordination = new NatsCoordination({ ...address, names });
      await until(() => coordination.connectionSlots.isShared, 'the replica is counted');
      return coordination;
    });

  describeConnectionSlots('with these permissions', async () => {
    const { open, destroy } = coordinations();
    return { open: async () => (await open()).connectionSlots, destroy };
  });

  describePresenceBoard('with these permissions', async () => {
    const { open, destroy } = coordinations();
    return { open: async () => (await open()).presence, destroy };
  });

  describeSessionDeltas('with these permissions', async () => {
    const { open, destroy } = coordinations();
    const [here, there] = [await open(), await open()];
    return { here: here.sessionDeltas, there: there.sessionDeltas, destroy };
  });

  it('tells and hears rates', async () => {
    const { open, destroy } = coordinations();
    const [one, other] = [await open(), await open()];
    const heard: unknown[] = [];
    const stop = other.rates.listen((spent) => heard.push(...spent));
    await until(() => {
      one.rates.tell([{ key: 'key/a', cost: 1, rate: { requestsPerSecond: 1, burst: 1 } }]);
      return heard.length > 0;
    }, 'they hear');
    stop();
    await destroy();
  });

  it('changes the limits of a stream that is there', async () => {
    let maxMessages = 100;
    const { open, destroy } = world(({ names, address }) =>
      openJetStreamDeliveryLog({
        ...address,
        stream: names.stream,
        subject: names.recordedSubject,
        retention: { maxAgeMs: 600_000, maxBytes: 64 * 1024 * 1024, maxMessages: maxMessages++ },
      }),
    );
    await (await open()).check();
    await (await open()).check();
    await destroy();
  });
});

describe('a user of Kafka with the rights of the page about deployments', () => {
  let lines: KafkaLogLine[];
  beforeEach(() => {
    lines = [];
  });

  const open = (prefix: string) => {
    const { kafkaBrokers, limitedUser, password } = brokers.addresses;
    const signals: EngineSignals = {
      ...createEngineSignals({
        metrics: new MetricsRegistry(),
        logger: createLogger({ service: 'test', level: 'silent', format: 'json' }),
      }),
      kafkaLog: (line) => void lines.push(line),
    };
    const definition = hostSettings({ httpPort: 0 });
    const env = {
      SLUICE_DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
      SLUICE_NATS_URL: brokers.addresses.natsUrl,
      SLUICE_BROKER_PREFIX: prefix,
      SLUICE_KAFKA_BROKERS: kafkaBrokers,
      SLUICE_KAFKA_TLS: 'true',
      SLUICE_KAFKA_TLS_CA_FILE: brokers.caFile,
      SLUICE_KAFKA_SASL: `plain,${limitedUser},${password}`,
    };
    const { engine } = toHostConfig('test', parseSettings(definition, readEnv(definition, env)));
    if (engine.engine !== 'cluster') throw new Error('The default engine is another one');
    return openSealedKafkaLog(engine, new MemoryEntityKeys(), { clientName: 'test' }, signals);
  };

  it.each(['projector', 'rebuild'])(
    'makes the topics, stores sealed events, and reads them as the group %s',
    async (group) => {
      const log = await open('sluice');
      await log.append([sandboxEnvelope()]);
      const checkpoints = new Map<Lane, number>();
      let read = 0;
      const follower = await log.follow({
        group,
        maxBatchRecords: 100,
        loadCheckpoints: async () => checkpoints,
        handle: async (batch) => void (read += batch.records.length),
      });
      await until(() => read > 0, 'the event is read');
      await follower.stop();
      await log.close();
      expect(lines.filter(({ fields }) => /authori[sz]|needed/.test(JSON.stringify(fields)))).toEqual([]);
    },
  );

  it('says once of each topic that its settings cannot be checked, where it may not describe configs', async () => {
    const log = await open('blind');
    await log.append([sandboxEnvelope()]);
    await log.close();
    const { topic, keyTopic } = brokerNames('blind');
    expect(lines.filter(({ message }) => message.includes('cannot be checked'))).toEqual(
      [topic, keyTopic].map((name) => ({
        level: 'warn',
        message: 'The settings of the topic cannot be checked',
        fields: {
          topic: name,
          needed: 'the right to describe configs of the topic',
          reason: expect.stringContaining('Not authorized to access topics'),
        },
      })),
    );
  });
});

// Last, because the server has complained from here on.
it('is a user of NATS that may use nothing of another installation', async () => {
  const [one, other] = [nextUser(), nextUser()];
  const log = await openJetStreamDeliveryLog({
    ...one.address,
    stream: other.names.stream,
    subject: other.names.recordedSubject,
    retention: { maxAgeMs: 600_000, maxBytes: 64 * 1024 * 1024, maxMessages: 100 },
  });
  await expect(log.check()).rejects.toMatchObject({ code: 'delivery_log_unavailable' });
  await log.close();
  expect(violations()).not.toEqual([]);
});
