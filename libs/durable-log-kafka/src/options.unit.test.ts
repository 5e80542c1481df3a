import { DEFAULT_KAFKA_LIMITS, toSettings, type KafkaDurableLogOptions } from './options';

const OPTIONS: KafkaDurableLogOptions = {
  brokers: ['127.0.0.1:9092', 'kafka:9093'],
  clientId: 'test',
  topic: 'sluice.events.v1',
  replicationFactor: 3,
  createTopic: false,
};

describe('toSettings', () => {
  it('fills in defaults and keeps what is given', () => {
    const settings = toSettings({ ...OPTIONS, limits: { appendTimeoutMs: 5 } });
    expect(settings).toMatchObject({ partitions: 12, topic: 'sluice.events.v1' });
    expect(settings.limits).toEqual({ ...DEFAULT_KAFKA_LIMITS, appendTimeoutMs: 5 });
  });

  it('takes a linger of 0, which never waits', () => {
    expect(toSettings({ ...OPTIONS, limits: { appendLingerMs: 0 } }).limits.appendLingerMs).toBe(0);
  });

  it.each<[string, Partial<KafkaDurableLogOptions>]>([
    ['no broker', { brokers: [] }],
    ['a broker without port', { brokers: ['kafka'] }],
    ['a topic that Kafka refuses', { topic: 'a b' }],
    ['no partition', { partitions: 0 }],
    ['far too many partitions', { partitions: 1_001 }],
    ['a fraction', { replicationFactor: 1.5 }],
    ['more copies in sync than there are', { minInSyncReplicas: 4 }],
    ['a limit of nothing', { limits: { maxQueuedEvents: 0 } }],
    ['a linger below 0', { limits: { appendLingerMs: -1 } }],
    ['a linger that is no whole number', { limits: { appendLingerMs: 0.5 } }],
    ['heartbeats that are too rare', { limits: { heartbeatIntervalMs: 20_000 } }],
  ])('refuses %s', (_, wrong) => {
    expect(() => toSettings({ ...OPTIONS, ...wrong })).toThrow(expect.objectContaining({ code: 'configuration' }));
  });
});
