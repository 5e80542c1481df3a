import { SluiceError } from '@sluice/event-log';
import {
  encodeEnvelope,
  PUBLIC_WORKSPACE_ID,
  registryEventDataSchema,
  type EncodedEnvelope,
} from '@sluice/event-schema';
import type { RegistryDraft } from './ledger-types';

/**
 * The envelope of a draft, encoded once.
 * @throws SluiceError `invalid_event` when its data is not what its type asks for: a fault of ours.
 */
export function encodeDraft(draft: RegistryDraft): EncodedEnvelope {
  const { type, agentId, data, eventId, occurredAt } = draft;
  const checked = registryEventDataSchema(type).safeParse(data);
  if (!checked.success)
    throw new SluiceError('invalid_event', `A draft of ${type} is not valid`, { cause: checked.error, where: agentId });
  return encodeEnvelope({
    id: eventId,
    family: 'registry',
    entityId: agentId,
    workspaceId: PUBLIC_WORKSPACE_ID,
    type,
    schemaVersion: 1,
    occurredAt,
    data,
  });
}
