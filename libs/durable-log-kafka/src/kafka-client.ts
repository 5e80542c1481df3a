import { Kafka, logLevel, type KafkaConfig, type LogEntry } from 'kafkajs';
import type { KafkaLogLine, KafkaSettings } from './options';

const LEVELS: Readonly<Record<number, KafkaLogLine['level']>> = {
  [logLevel.ERROR]: 'error',
  [logLevel.WARN]: 'warn',
  [logLevel.INFO]: 'info',
};

/** kafkajs retries inside one call only this little: the loops around it have the bounds that this adapter states. */
const INNER_RETRY = { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000, multiplier: 2, factor: 0.2 } as const;

/** Says that bounded retries weaken idempotence. They would: the appender never uses such a producer again. */
const SILENCED = /^Limiting retries for the idempotent producer/;

/**
 * A kafkajs client whose log lines go to `onLog`. Each consumer needs a client of its own: consumers of one group share
 * their table of offsets through the client, and clear it for each other.
 */
export function createKafka(settings: KafkaSettings, onLog: (line: KafkaLogLine) => void = settings.onLog): Kafka {
  const { brokers, clientId, ssl, sasl, limits } = settings;
  const config: KafkaConfig = {
    brokers: [...brokers],
    clientId,
    connectionTimeout: limits.connectionTimeoutMs,
    authenticationTimeout: limits.requestTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    retry: INNER_RETRY,
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => {
      if (!SILENCED.test(entry.log.message)) onLog(toLogLine(entry));
    },
    ...(ssl === undefined ? {} : { ssl: typeof ssl === 'object' ? { ...ssl } : ssl }),
  };
  // The mechanisms are one union to us and one overload each to kafkajs.
  if (sasl) config.sasl = { ...sasl } as KafkaConfig['sasl'];
  return new Kafka(config);
}

/** An answer that names an error, such as a coordinator that is not there yet. It is tried again, and told if it stays. */
const ONE_ANSWER = /^Response /;

function toLogLine({ namespace, level: rank, log }: LogEntry): KafkaLogLine {
  const { message, logger: _logger, timestamp: _timestamp, ...fields } = log;
  const level = LEVELS[rank] ?? 'debug';
  return {
    level: level === 'error' && ONE_ANSWER.test(message) ? 'warn' : level,
    message: `[${namespace}] ${message}`,
    fields,
  };
}

/** The names and protocol types of an error and everything that caused it. kafkajs nests them. */
export function errorMarks(error: unknown): readonly string[] {
  const marks: string[] = [];
  for (let at: unknown = error; at instanceof Error && marks.length < 20; at = at.cause) {
    marks.push(at.name);
    if ('type' in at && typeof at.type === 'string') marks.push(at.type);
  }
  return marks;
}
