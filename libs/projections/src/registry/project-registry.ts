import {
  PUBLIC_WORKSPACE_ID,
  type RecordedEvent,
  type RegistryEventData,
  type RegistryEventType,
  type RegistryFeedback,
} from '@sluice/event-schema';
import type { AgentChange } from './agent-change';
import { AgentWriter } from './agent-writer';

type Effects<T extends RegistryEventType> = (data: RegistryEventData<T>, write: AgentWriter) => readonly AgentChange[];

const NOTHING = () => [];

const given = (feedback: RegistryFeedback | undefined, write: AgentWriter) =>
  feedback ? [write.giveFeedback(feedback)] : [];

/** What each type means for agents. The compiler asks for a line when a type is added. */
const EFFECTS: { readonly [T in RegistryEventType]: Effects<T> } = {
  agent_registered: ({ name, owner, hasMcp, hasA2a, registration }, write) => {
    const file = { ...write.fileOf(registration ?? {}), name, hasMcp, hasA2a };
    return [write.register(owner, file, registration)];
  },
  agent_updated: ({ registration }, write) => [write.patchRegistration(registration ?? {})],
  agent_transferred: ({ to }, write) => [write.patch({ owner: to.toLowerCase() })],

  reputation_change: ({ newScore, feedbackCount, feedback }, write) => {
    const change = write.patch({ rating: { score: feedbackCount === 0 ? null : newScore, feedbackCount } });
    return [feedback ? { ...change, feedback: write.giveFeedback(feedback).feedback } : change];
  },
  feedback_received: ({ feedback }, write) => given(feedback, write),
  feedback_revoked: (place, write) => [write.setRevoked(place, true)],
  feedback_response: (data, write) => [write.respond(data, data.responder, data.responseUri, data.responseHash)],
  // The change of the score that goes with an attestation has what it says.
  new_attestation: NOTHING,
  attestation_revoked: ({ attestationUid }, write) => [write.setRevoked({ attestationUid }, true)],

  reachability_update: ({ mcpReachable, a2aReachable }, write) => [
    write.patch({ reachability: { mcp: mcpReachable, a2a: a2aReachable, checkedAt: write.occurredAt } }),
  ],
  classification_complete: ({ skills, domains, confidence }, write) => [
    write.patch({ classification: { skills, domains, confidence } }),
  ],
  validation_requested: NOTHING,
  validation_responded: NOTHING,

  agent_registration_reverted: (_, write) => [write.remove()],
  agent_update_reverted: ({ registration }, write) => [
    registration ? write.replaceRegistration(registration) : write.patch({}),
  ],
  agent_transfer_reverted: ({ from }, write) => [write.patch({ owner: from.toLowerCase() })],
  feedback_reverted: (data, write) => [write.removeFeedback(data, data.revertedEventId)],
  feedback_revocation_reverted: (place, write) => [write.setRevoked(place, false)],
  feedback_response_reverted: (data, write) => [write.withdrawResponse(data, data.revertedEventId)],
  attestation_reverted: (data, write) => [
    write.removeFeedback({ attestationUid: data.attestationUid }, data.revertedEventId),
  ],
  attestation_revocation_reverted: ({ attestationUid }, write) => [write.setRevoked({ attestationUid }, false)],
  validation_request_reverted: NOTHING,
  validation_response_reverted: NOTHING,
};

const isKnown = (type: string): type is RegistryEventType => Object.hasOwn(EFFECTS, type);

/** What an event of the registry family means for agents. Only public events are about agents of a registry. */
export function projectRegistry(event: RecordedEvent): readonly AgentChange[] {
  if (event.workspaceId !== PUBLIC_WORKSPACE_ID || !isKnown(event.type)) return [];
  return effectsOf(event.type, event);
}

/** The projector lets in no event whose data is not what its type has, so the data is what its type says. */
function effectsOf<T extends RegistryEventType>(type: T, event: RecordedEvent): readonly AgentChange[] {
  return EFFECTS[type](event.data as RegistryEventData<T>, new AgentWriter(event));
}
