import {
  REGISTRY_EVENT_TYPES,
  type EncodedEnvelope,
  type RegistryEventData,
  type RegistryEventType,
} from '@sluice/event-schema';
import fc from 'fast-check';
import { about, addressOf, file, hashOf } from './agent-samples';
import { OCCURRED_AT } from './workspace-envelope';

type Own<T extends RegistryEventType> = Omit<RegistryEventData<T>, 'agentId' | 'chainId'>;

/** Few of each, so that events meet. */
const agentId = fc.constantFrom('1:0', '8453:7');
const address = fc.constantFrom(addressOf(1), addressOf(2));
const feedbackIndex = fc.constantFrom('1', '2');
const hash = fc.constantFrom(hashOf(1), hashOf(2));
const text = fc.constantFrom('', 'plain', 'null', '"', '\\u0000', '\u0000\u001f', '🐚\n');
const endpoint = fc.constantFrom('https://one.example', '\u0000', undefined);
const score = fc.constantFrom(0, 33.33, 50, 100);
/** Stands for an event that came before. */
const revertedEventId = fc.constant('01a1fe01-6240-73e6-8f05-0efe9e01e202');
const one = fc.constant(1);

const defined = <T extends object>(record: T): T =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T;

const summary = fc
  .record({ name: text, description: text, active: fc.boolean(), mcpEndpoint: endpoint, a2aEndpoint: endpoint })
  .map(({ name, ...more }) => file(name, defined(more) as object));
const registration = fc.record(
  {
    uri: text,
    error: fc.record({ code: text, message: text }),
    file: summary,
    wallet: fc.option(address),
    metadata: fc.dictionary(text, fc.constant('0x01'), { maxKeys: 2 }),
  },
  { requiredKeys: [] },
);
const transfer = fc.record({ from: address, to: address });
const place = fc.record({ clientAddress: address, feedbackIndex });
const attestation = fc.record({ attestationUid: hash, attester: address });
const validation = { validator: address, requestHash: hash };
const given = fc.record({ score: fc.nat(100), isRating: fc.boolean(), tags: fc.array(text, { maxLength: 2 }) });
const feedback = fc.oneof(
  fc.tuple(given, place).map(([said, where]) => ({ source: 'registry' as const, ...where, ...said })),
  fc.tuple(given, address).map(([said, clientAddress]) => ({ source: 'registry' as const, clientAddress, ...said })),
  fc.tuple(given, attestation).map(([said, { attestationUid, attester }]) => ({
    source: 'eas' as const,
    clientAddress: attester,
    attestationUid,
    ...said,
  })),
);
const classes = fc.subarray(['audio', 'energy']).map((slugs) => slugs.map((slug) => ({ slug, name: slug })));

/** What each type says. The compiler asks for a line when a type is added. */
const OWN: { readonly [T in RegistryEventType]: fc.Arbitrary<Own<T>> } = {
  agent_registered: fc.record(
    { name: text, owner: address, hasMcp: fc.boolean(), hasA2a: fc.boolean(), registration },
    { requiredKeys: ['name', 'owner', 'hasMcp', 'hasA2a'] },
  ),
  agent_updated: fc.record({ changes: fc.array(text, { maxLength: 2 }), registration }, { requiredKeys: ['changes'] }),
  agent_transferred: transfer,
  reputation_change: fc
    .record({
      previousScore: score,
      newScore: score,
      feedbackCount: fc.nat(2),
      feedback: fc.option(feedback, { nil: undefined }),
    })
    .map(defined),
  feedback_received: fc.record({ feedback }),
  feedback_revoked: place,
  feedback_response: fc.record({
    clientAddress: address,
    feedbackIndex,
    responder: address,
    responseUri: text,
    responseHash: hash,
  }),
  new_attestation: fc.record({ attestationUid: hash, attester: address, score: fc.nat(100), tags: fc.constant([]) }),
  attestation_revoked: attestation,
  reachability_update: fc.record({ mcpReachable: fc.boolean(), a2aReachable: fc.boolean() }),
  classification_complete: fc.record({ skills: classes, domains: classes, confidence: fc.constant(0.5) }),
  validation_requested: fc.record({ ...validation, requestUri: text }),
  validation_responded: fc.record({ ...validation, response: one, responseUri: text, responseHash: hash, tag: text }),
  agent_registration_reverted: fc.record({ name: text, owner: address, revertedEventId }),
  agent_update_reverted: fc.record(
    { changes: fc.constant([]), registration, revertedEventId },
    { requiredKeys: ['changes', 'revertedEventId'] },
  ),
  agent_transfer_reverted: fc.record({ from: address, to: address, revertedEventId }),
  feedback_reverted: fc.oneof(
    fc.record({ clientAddress: address, feedbackIndex, revertedEventId }),
    fc.record({ clientAddress: address, revertedEventId }),
    fc.record({ clientAddress: address, attestationUid: hash, revertedEventId }),
  ),
  feedback_revocation_reverted: fc.record({ clientAddress: address, feedbackIndex, revertedEventId }),
  feedback_response_reverted: fc.record({ clientAddress: address, feedbackIndex, responder: address, revertedEventId }),
  attestation_reverted: fc.record({ attestationUid: hash, attester: address, revertedEventId }),
  attestation_revocation_reverted: fc.record({ attestationUid: hash, attester: address, revertedEventId }),
  validation_request_reverted: fc.record({ ...validation, revertedEventId }),
  validation_response_reverted: fc.record({ ...validation, revertedEventId }),
};

/** Makes the event, where it reverts one of those before. */
type Draft = (before: readonly EncodedEnvelope[]) => EncodedEnvelope;

function draftOf<T extends RegistryEventType>(type: T): fc.Arbitrary<Draft> {
  return fc.tuple(agentId, OWN[type], fc.nat(100), fc.nat(1_000)).map(([id, own, later, which]) => (before) => {
    const reverted = before[before.length - 1 - (which % Math.max(before.length, 1))]?.event.id;
    const data = 'revertedEventId' in own && reverted !== undefined ? { ...own, revertedEventId: reverted } : own;
    return about(id, type, data, { occurredAt: OCCURRED_AT + later });
  });
}

/** What agents live on comes more often than what ends them. */
const COMMON: readonly RegistryEventType[] = [
  ...(['agent_registered', 'reputation_change', 'reputation_change', 'agent_updated', 'agent_updated'] as const),
  ...(['feedback_response', 'feedback_response', 'feedback_response_reverted', 'reachability_update'] as const),
];

/** Batches of events that meet each other, in any order: also orders that no producer of ours makes. */
export const agentHistory: fc.Arbitrary<readonly (readonly EncodedEnvelope[])[]> = fc
  .array(fc.array(fc.oneof(...[...REGISTRY_EVENT_TYPES, ...COMMON].map(draftOf)), { maxLength: 40, size: 'max' }), {
    maxLength: 5,
    size: 'max',
  })
  .map((batches) => {
    const before: EncodedEnvelope[] = [];
    return batches.map((batch) =>
      batch.map((draft) => {
        const envelope = draft(before);
        before.push(envelope);
        return envelope;
      }),
    );
  });

/** Some event of each type about an agent. */
export function sampleOfEachType(id: string): Readonly<Record<RegistryEventType, EncodedEnvelope>> {
  const sample = <T extends RegistryEventType>(type: T) =>
    [type, about(id, type, fc.sample(OWN[type], { numRuns: 1, seed: 1 })[0] as Own<T>)] as const;
  return Object.fromEntries(REGISTRY_EVENT_TYPES.map(sample)) as Record<RegistryEventType, EncodedEnvelope>;
}
