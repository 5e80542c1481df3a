import { KafkaJSProtocolError, type Producer } from 'kafkajs';
import { KafkaAppender } from './kafka-appender';
import { toSettings } from './options';

/** What a real broker does not answer on demand: the errors about a producer's identity. */
function setUp(failures: readonly Error[], appendTimeoutMs = 5_000) {
  const left = [...failures];
  const producers: { sends: number; isConnected: boolean }[] = [];
  const kafka = {
    producer: () => {
      const state = { sends: 0, isConnected: false };
      producers.push(state);
      const producer: Partial<Producer> = {
        connect: async () => void (state.isConnected = true),
        disconnect: async () => void (state.isConnected = false),
        send: async () => {
          state.sends++;
          const failure = left.shift();
          if (failure) throw failure;
          return [];
        },
      };
      return producer as Producer;
    },
  };
  const settings = toSettings({
    brokers: ['127.0.0.1:1'],
    clientId: 'test',
    topic: 'test',
    replicationFactor: 1,
    createTopic: false,
    limits: { appendTimeoutMs },
  });
  return { appender: new KafkaAppender(kafka, settings), producers };
}

const protocolError = (type: string, retriable: boolean) =>
  new KafkaJSProtocolError(Object.assign(new Error(type), { type, retriable, code: 1 }));

const EVENTS = [{ key: 'sandbox/s-1', value: Buffer.from('{}') }];

describe('KafkaAppender', () => {
  it.each(['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'])(
    'replaces a producer that is told %s and stores with the next one',
    async (type) => {
      const { appender, producers } = setUp([protocolError(type, false)]);
      await appender.send(EVENTS);
      await appender.close();
      expect(producers).toEqual([
        { sends: 1, isConnected: false },
        { sends: 1, isConnected: false },
      ]);
    },
  );

  it('repeats with the same producer, whose sequence numbers tell a repetition, after a passing failure', async () => {
    const { appender, producers } = setUp([protocolError('NOT_LEADER_FOR_PARTITION', true)]);
    await appender.send(EVENTS);
    expect(producers).toEqual([{ sends: 2, isConnected: true }]);
  });

  it('never uses a producer again after a send that failed for good', async () => {
    const { appender, producers } = setUp([protocolError('REQUEST_TIMED_OUT', true)], 1);
    await expect(appender.send(EVENTS)).rejects.toMatchObject({ code: 'log_unavailable', retryable: true });
    await appender.send(EVENTS);
    expect(producers).toEqual([
      { sends: 1, isConnected: false },
      { sends: 1, isConnected: true },
    ]);
  });

  it('does not repeat what cannot succeed', async () => {
    const { appender, producers } = setUp([protocolError('MESSAGE_TOO_LARGE', false)]);
    await expect(appender.send(EVENTS)).rejects.toMatchObject({ code: 'log_unavailable' });
    expect(producers.map(({ sends }) => sends)).toEqual([1]);
  });

  it('tries once after a failure, until one succeeds', async () => {
    const failure = protocolError('REQUEST_TIMED_OUT', true);
    const { appender, producers } = setUp([protocolError('MESSAGE_TOO_LARGE', false), failure, failure]);
    await expect(appender.send(EVENTS)).rejects.toMatchObject({ code: 'log_unavailable' });
    await expect(appender.send(EVENTS)).rejects.toMatchObject({ code: 'log_unavailable' });
    expect(producers.map(({ sends }) => sends)).toEqual([1, 1]);
    await expect(appender.send(EVENTS)).rejects.toMatchObject({ code: 'log_unavailable' });
    await appender.send(EVENTS);
    expect(producers.map(({ sends }) => sends)).toEqual([1, 1, 1, 1]);
  });
});
