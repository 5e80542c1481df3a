/** What the brokers call our things. Generated here and nowhere else, so that two services cannot disagree. */
export interface BrokerNames {
  /** Kafka topic of envelopes: the durable log. */
  readonly topic: string;
  /** Kafka topic of the keys by which envelopes are sealed. */
  readonly keyTopic: string;
  /** Kafka consumer group of whoever makes the index of keys. */
  readonly keyGroup: string;
  /** Kafka consumer group of the projectors. */
  readonly projectorGroup: string;
  /** Kafka consumer group of whoever rebuilds the read model. */
  readonly rebuildGroup: string;
  /** JetStream stream of recorded events: the delivery log. */
  readonly stream: string;
  /** Subject of runs of recorded events. */
  readonly recordedSubject: string;
  /** Key-value bucket of who holds how many places for connections. */
  readonly slotBucket: string;
  /** Key-value bucket of the replicas that are alive. */
  readonly replicaBucket: string;
  /** Subject of what callers spent of their rates. */
  readonly rateSubject: string;
  /** Subjects of who is present in which group begin with it. */
  readonly presenceSubject: string;
  /** Subjects of the deltas of sessions begin with it. */
  readonly sessionDeltaSubject: string;
}

/** Letters, digits and dashes: valid in a topic, a group, a stream, a bucket and a subject alike. */
const PREFIX = /^[a-z][a-z0-9-]{0,62}$/;

/** Major version of what is in the log. A change that old readers cannot skip gets a new topic. */
const LOG_VERSION = 'v1';

/** Version of what replicas tell each other. Replicas of different versions do not hear each other. */
const COORDINATION_VERSION = 'v1';

/**
 * The names of one installation; installations with different prefixes can share brokers.
 * @throws RangeError when the prefix would not be a valid name at every broker.
 */
export function brokerNames(prefix: string): BrokerNames {
  if (!PREFIX.test(prefix)) throw new RangeError(`"${prefix}" is no broker name prefix: ${PREFIX.source}`);
  return {
    topic: `${prefix}.events.${LOG_VERSION}`,
    keyTopic: `${prefix}.entity-keys.${LOG_VERSION}`,
    keyGroup: `${prefix}.key-index.${LOG_VERSION}`,
    projectorGroup: `${prefix}.projector.${LOG_VERSION}`,
    rebuildGroup: `${prefix}.rebuild.${LOG_VERSION}`,
    stream: `${prefix.toUpperCase()}_EVENTS_${LOG_VERSION.toUpperCase()}`,
    recordedSubject: `${prefix}.events.${LOG_VERSION}.recorded`,
    slotBucket: `${prefix.toUpperCase()}_SLOTS_${COORDINATION_VERSION.toUpperCase()}`,
    replicaBucket: `${prefix.toUpperCase()}_REPLICAS_${COORDINATION_VERSION.toUpperCase()}`,
    rateSubject: `${prefix}.rates.${COORDINATION_VERSION}`,
    presenceSubject: `${prefix}.presence.${COORDINATION_VERSION}`,
    sessionDeltaSubject: `${prefix}.session-deltas.${COORDINATION_VERSION}`,
  };
}
