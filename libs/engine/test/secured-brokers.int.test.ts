import { recordEnvelope } from '@sluice/event-schema';
import { toEpoch, toPosition, type RecordedRun } from '@sluice/event-log';
import { sandboxEnvelope, until } from '@sluice/event-log/conformance';
import { parseSettings, readEnv } from '@sluice/service-runtime';
import { createAppHost, hostSettings, toHostConfig, type AppHost } from '../src';
import { SecuredBrokers } from './secured-brokers';

const run = (position: number): RecordedRun => ({
  epoch: toEpoch('0000abcd'),
  events: [recordEnvelope(sandboxEnvelope(), { position: toPosition(position), entitySequence: 1, recordedAt: 1 })],
});

describe('the cluster engine with brokers that ask for TLS and credentials', () => {
  let brokers: SecuredBrokers;
  const hosts: AppHost[] = [];

  beforeAll(async () => {
    brokers = await SecuredBrokers.start();
  }, 120_000);
  afterAll(() => brokers?.stop());
  afterEach(() => Promise.all(hosts.splice(0).map((each) => each.close())));

  /** A process with the right settings, but for those that are given. */
  const host = (deviations: Record<string, string> = {}): AppHost => {
    const { kafkaBrokers, natsUrl, user, password } = brokers.addresses;
    const definition = hostSettings({ httpPort: 0 });
    const env = {
      SLUICE_DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
      SLUICE_KAFKA_BROKERS: kafkaBrokers,
      SLUICE_KAFKA_PARTITIONS: '1',
      // There is no PostgreSQL for keys.
      SLUICE_LOG_SEALING: 'off',
      SLUICE_KAFKA_TLS: 'true',
      SLUICE_KAFKA_TLS_CA_FILE: brokers.caFile,
      SLUICE_KAFKA_SASL: `scram-sha-512,${user},${password}`,
      SLUICE_NATS_URL: natsUrl,
      SLUICE_NATS_TLS: 'true',
      SLUICE_NATS_TLS_CA_FILE: brokers.caFile,
      SLUICE_NATS_USER: user,
      SLUICE_NATS_PASSWORD: password,
      SLUICE_LOG_LEVEL: 'silent',
      ...deviations,
    };
    const opened = createAppHost(toHostConfig('test', parseSettings(definition, readEnv(definition, env))));
    hosts.push(opened);
    return opened;
  };

  /** The NATS whose users log in by files. */
  const operated = () => ({
    SLUICE_NATS_URL: brokers.addresses.operatedNatsUrl,
    SLUICE_NATS_CREDENTIALS_FILE: brokers.addresses.credentialsFile,
    SLUICE_NATS_TLS: '',
    SLUICE_NATS_TLS_CA_FILE: '',
    SLUICE_NATS_USER: '',
    SLUICE_NATS_PASSWORD: '',
  });

  it.each(['plain', 'scram-sha-512'])('appends to Kafka by SASL %s', async (mechanism) => {
    const { user, password } = brokers.addresses;
    const log = await host({ SLUICE_KAFKA_SASL: `${mechanism},${user},${password}` }).engine.durableLog();
    const [before = 0] = (await log.ends()).values();
    await log.append([sandboxEnvelope()]);
    const [after] = (await log.ends()).values();
    expect(after).toBeGreaterThan(before);
  });

  it.each([
    ['a password', () => ({})],
    ['a file of credentials', operated],
  ])('publishes to NATS and follows, by %s', async (_, deviations) => {
    const log = await host(deviations()).engine.deliveryLog();
    const positions: number[] = [];
    const follower = await log.follow({
      onRun: ({ events }) => positions.push(...events.map(({ event }) => event.position)),
      onFault: () => undefined,
    });
    await log.publish(run(1));
    await until(() => positions.includes(1), 'the run arrives');
    await follower.stop();
  });

  it.each([
    ['a password', () => ({})],
    ['a file of credentials', operated],
  ])('is counted together with other replicas, by %s', async (_, deviations) => {
    const { engine, metrics } = host(deviations());
    await engine.coordination();
    const isShared = async () => /^sluice_coordination_shared 1$/m.test(await metrics.expose());
    await until(isShared, 'the replicas hear each other');
  });

  it.each([
    ['another authority', () => ({ SLUICE_NATS_TLS_CA_FILE: brokers.otherCaFile })],
    ['another password', () => ({ SLUICE_NATS_PASSWORD: 'wrong' })],
    ['no credentials', () => ({ ...operated(), SLUICE_NATS_CREDENTIALS_FILE: '' })],
  ])('speaks to no NATS with %s', async (_, deviations) => {
    const log = await host(deviations()).engine.deliveryLog();
    await expect(log.publish(run(2))).rejects.toMatchObject({ code: 'delivery_log_unavailable' });
  });

  it('does not begin with files that cannot be read', async () => {
    const { engine } = host({ SLUICE_NATS_TLS_CA_FILE: '/none', SLUICE_KAFKA_TLS_CA_FILE: '/none' });
    for (const open of [engine.durableLog, engine.deliveryLog, engine.coordination]) {
      await expect(open()).rejects.toMatchObject({ code: 'configuration' });
    }
    const without = host({ ...operated(), SLUICE_NATS_CREDENTIALS_FILE: '/none' });
    await expect(without.engine.deliveryLog()).rejects.toMatchObject({ code: 'configuration' });
  });
});
