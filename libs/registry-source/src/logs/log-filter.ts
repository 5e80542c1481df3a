import type { ChainConfig } from '@sluice/agent-registry';
import type { RawLog } from './raw-log';
import { ATTESTATION_TOPICS, IDENTITY_TOPICS, REPUTATION_TOPICS, VALIDATION_TOPICS } from './topics';

/** Which logs one request asks for. All in lower case. */
export interface LogFilter {
  readonly addresses: readonly string[];
  /** Any of these is the first topic. */
  readonly topics: readonly string[];
  /** The fourth topic, where only one is wanted. */
  readonly fourthTopic?: string;
}

/** One filter for the registries; one for attestations of the schema, where there is an attestation service. */
export function logFiltersOf(chain: ChainConfig): readonly LogFilter[] {
  const { identityRegistry, reputationRegistry, validationRegistry, eas, easSchemaUid } = chain;
  const registries = [
    identityRegistry,
    reputationRegistry,
    ...(validationRegistry === undefined ? [] : [validationRegistry]),
  ];
  const filters: LogFilter[] = [
    {
      addresses: [...new Set(registries.map((address) => address.toLowerCase()))],
      topics: [
        ...IDENTITY_TOPICS,
        ...REPUTATION_TOPICS,
        ...(validationRegistry === undefined ? [] : VALIDATION_TOPICS),
      ],
    },
  ];
  if (eas !== undefined) {
    filters.push({
      addresses: [eas.toLowerCase()],
      topics: ATTESTATION_TOPICS,
      fourthTopic: easSchemaUid.toLowerCase(),
    });
  }
  return filters;
}

/** The `topics` of a request. */
export function topicsParameter({ topics, fourthTopic }: LogFilter): readonly unknown[] {
  return fourthTopic === undefined ? [topics] : [topics, null, null, fourthTopic];
}

export function matches({ addresses, topics, fourthTopic }: LogFilter, log: RawLog): boolean {
  return (
    addresses.includes(log.address) &&
    topics.includes(log.topics[0] ?? '') &&
    (fourthTopic === undefined || log.topics[3] === fourthTopic)
  );
}
