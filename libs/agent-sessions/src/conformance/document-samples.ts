import type { NewSessionDocument } from '../session-documents';
import { ODD_TEXT, WORKSPACE } from './session-samples';

export function documentOf(overrides: Partial<NewSessionDocument> = {}): NewSessionDocument {
  return {
    workspaceId: WORKSPACE,
    kind: 'agent',
    id: 'agent_1',
    parentId: null,
    createdAtMs: 1_000,
    updatedAtMs: 2_000,
    archivedAtMs: null,
    expiresAtMs: null,
    fields: { name: ODD_TEXT, [ODD_TEXT]: [null, 1.5, 1e300, true, { deep: ODD_TEXT }], model: { id: 'a-model' } },
    ...overrides,
  };
}
