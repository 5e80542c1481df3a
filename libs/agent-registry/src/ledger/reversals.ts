import type { RegistryEventType } from '@sluice/event-schema';
import type { EmittedEvent } from '../chain-store';
import { agentKey, fileKey, type AgentValue, type FileValue } from './documents';
import { fileSnapshot } from './file-state';
import { agentDetail } from './identity-facts';
import { tokenIdOfAgent, type EventFields, type LedgerRun } from './ledger-run';

/** Answers an event of a block that vanished; documents are those of before the block already. */
export function emitReversalOf(run: LedgerRun, reverted: EmittedEvent): void {
  const { eventId: revertedEventId, agentId, type, data } = reverted;
  const tokenId = tokenIdOfAgent(agentId);
  const of = <T extends RegistryEventType>(_type: T) => data as unknown as EventFields<T>;
  switch (type as RegistryEventType) {
    case 'agent_registered': {
      const { name, owner } = of('agent_registered');
      return run.emitReversal(reverted, 'agent_registration_reverted', { revertedEventId, name, owner });
    }
    case 'agent_updated': {
      const { changes } = of('agent_updated');
      const registration = registrationOf(run, tokenId);
      return run.emitReversal(reverted, 'agent_update_reverted', { revertedEventId, changes, ...registration });
    }
    case 'agent_transferred': {
      const { from, to } = of('agent_transferred');
      return run.emitReversal(reverted, 'agent_transfer_reverted', { revertedEventId, from, to });
    }
    case 'reputation_change':
      return emitReputationReversal(run, reverted, of('reputation_change'));
    case 'feedback_received': {
      const { clientAddress, feedbackIndex } = of('feedback_received').feedback;
      return run.emitReversal(reverted, 'feedback_reverted', { revertedEventId, clientAddress, feedbackIndex });
    }
    case 'feedback_revoked': {
      const { clientAddress, feedbackIndex } = of('feedback_revoked');
      const fields = { revertedEventId, clientAddress, feedbackIndex };
      return run.emitReversal(reverted, 'feedback_revocation_reverted', fields);
    }
    case 'feedback_response': {
      const { clientAddress, feedbackIndex, responder } = of('feedback_response');
      const fields = { revertedEventId, clientAddress, feedbackIndex, responder };
      return run.emitReversal(reverted, 'feedback_response_reverted', fields);
    }
    case 'new_attestation': {
      const { attestationUid, attester } = of('new_attestation');
      return run.emitReversal(reverted, 'attestation_reverted', { revertedEventId, attestationUid, attester });
    }
    case 'attestation_revoked': {
      const { attestationUid, attester } = of('attestation_revoked');
      const fields = { revertedEventId, attestationUid, attester };
      return run.emitReversal(reverted, 'attestation_revocation_reverted', fields);
    }
    case 'validation_requested': {
      const { validator, requestHash } = of('validation_requested');
      return run.emitReversal(reverted, 'validation_request_reverted', { revertedEventId, validator, requestHash });
    }
    case 'validation_responded': {
      const { validator, requestHash } = of('validation_responded');
      return run.emitReversal(reverted, 'validation_response_reverted', { revertedEventId, validator, requestHash });
    }
    // What is reachable, and of which class, is said once for all undone blocks; reversals are of no block.
    default:
      return;
  }
}

/** A rating is the feedback and the change of the score at once. That of an attestation is answered beside it. */
function emitReputationReversal(
  run: LedgerRun,
  reverted: EmittedEvent,
  { previousScore, newScore, feedbackCount, feedback }: EventFields<'reputation_change'>,
): void {
  if (feedback?.source === 'registry') {
    const { clientAddress, feedbackIndex } = feedback;
    const fields = { revertedEventId: reverted.eventId, clientAddress, feedbackIndex };
    run.emitReversal(reverted, 'feedback_reverted', fields);
  }
  run.emitReversal(reverted, 'reputation_change', {
    previousScore: newScore,
    newScore: previousScore,
    feedbackCount: feedbackCount + (feedback === undefined ? 1 : -1),
  });
}

/** All that is known of the registration of an agent. */
function registrationOf(run: LedgerRun, tokenId: string): Pick<EventFields<'agent_update_reverted'>, 'registration'> {
  const agent = run.find<AgentValue>(agentKey(tokenId));
  const file = run.find<FileValue>(fileKey(tokenId));
  if (agent === undefined || file === undefined) return {};
  return { registration: { ...fileSnapshot(file, tokenId), ...agentDetail(agent) } };
}
