import fc from 'fast-check';
import { HOSTILE_NAMES, hostileName } from '../test/arbitraries';
import { brokerNames, type BrokerNames } from './names';

/** Kafka: letters, digits, dot, underscore, dash; at most 249. */
const KAFKA_NAME = /^[a-zA-Z0-9._-]{1,249}$/;
/** A JetStream stream: no blank, dot, star, greater-than, slash; kept short, as it names a folder. */
const STREAM_NAME = /^[A-Za-z0-9_-]{1,255}$/;
/** A NATS subject without wildcards: tokens of letters, digits, dashes, separated by single dots. */
const SUBJECT = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/;

const prefix = fc
  .tuple(fc.constantFrom(...'abcxyz'), fc.string({ unit: fc.constantFrom(...'abcxyz0189-'), maxLength: 62 }))
  .map((parts) => parts.join(''));

const all = (names: BrokerNames): readonly string[] => Object.values(names);

describe('brokerNames', () => {
  it('names what the brokers hold', () => {
    expect(brokerNames('sluice')).toEqual({
      topic: 'sluice.events.v1',
      keyTopic: 'sluice.entity-keys.v1',
      keyGroup: 'sluice.key-index.v1',
      projectorGroup: 'sluice.projector.v1',
      rebuildGroup: 'sluice.rebuild.v1',
      stream: 'SLUICE_EVENTS_V1',
      recordedSubject: 'sluice.events.v1.recorded',
      slotBucket: 'SLUICE_SLOTS_V1',
      replicaBucket: 'SLUICE_REPLICAS_V1',
      rateSubject: 'sluice.rates.v1',
      presenceSubject: 'sluice.presence.v1',
      sessionDeltaSubject: 'sluice.session-deltas.v1',
    });
  });

  it('gives every prefix names that are valid at their broker', () => {
    fc.assert(
      fc.property(prefix, (text) => {
        const { topic, keyTopic, keyGroup, projectorGroup, rebuildGroup, ...ofNats } = brokerNames(text);
        const { stream, slotBucket, replicaBucket, ...subjects } = ofNats;
        for (const name of [topic, keyTopic, keyGroup, projectorGroup, rebuildGroup]) expect(name).toMatch(KAFKA_NAME);
        for (const name of [stream, slotBucket, replicaBucket]) expect(name).toMatch(STREAM_NAME);
        for (const subject of Object.values(subjects)) expect(subject).toMatch(SUBJECT);
      }),
    );
  });

  it('gives two prefixes no name in common', () => {
    const close = ['a', 'a-', 'a-events', 'a-events-v1', 'a1', 'a-1', 'b'].map((text) => fc.constant(text));
    fc.assert(
      fc.property(fc.oneof(prefix, ...close), fc.oneof(prefix, ...close), (a, b) => {
        fc.pre(a !== b);
        const namesOfA = new Set(all(brokerNames(a)));
        expect(all(brokerNames(b)).filter((name) => namesOfA.has(name))).toEqual([]);
      }),
    );
  });

  it('never mistakes one of its names for another', () => {
    fc.assert(fc.property(prefix, (text) => expect(new Set(all(brokerNames(text))).size).toBe(12)));
  });

  it.each([
    ...HOSTILE_NAMES,
    ...['Sluice', '1a', '-a', 'a_b', 'a.b', 'a*', 'a>', 'a/b', '$SYS', '../a', 'a\n', '__proto__', 'é', 'a'.repeat(64)],
  ])('rejects the prefix %j', (text) => {
    expect(() => brokerNames(text)).toThrow(RangeError);
  });

  it('takes a prefix or rejects it, and never gives a name with an illegal character', () => {
    fc.assert(
      fc.property(hostileName, (text) => {
        let names: BrokerNames;
        try {
          names = brokerNames(text);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          return;
        }
        expect([names.topic, names.projectorGroup, names.rebuildGroup].every((name) => KAFKA_NAME.test(name))).toBe(
          true,
        );
        expect(STREAM_NAME.test(names.stream) && SUBJECT.test(names.recordedSubject)).toBe(true);
      }),
    );
  });
});
