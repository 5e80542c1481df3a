import { MAX_DUE_DOCUMENTS, type WorkspaceDocument } from '@sluice/projections';
import { lookAtDue, MAX_PAGES_PER_LOOK } from './due-documents';

function dueAtOnce(count: number) {
  const stored = new Map<number, WorkspaceDocument>();
  for (let createdPosition = 1; createdPosition <= count; createdPosition++) {
    const times = { createdAt: 0, updatedAt: 0, createdPosition, lastPosition: createdPosition, dueAt: 5 };
    stored.set(createdPosition, { workspaceId: 1, kind: 'run', id: String(createdPosition), fields: {}, ...times });
  }
  return { stored, due: async ({ limit }: { limit: number }) => [...stored.values()].slice(0, limit) };
}

it('deals with more than one page in one look', async () => {
  const documents = dueAtOnce(2 * MAX_DUE_DOCUMENTS + 1);
  await lookAtDue(
    documents,
    'run',
    () => 5,
    async (page) => {
      for (const { createdPosition } of page) documents.stored.delete(createdPosition);
      return true;
    },
  );
  expect(documents.stored.size).toBe(0);
});

it.each([
  ['something of each page is dealt with', true, MAX_PAGES_PER_LOOK],
  ['nothing is dealt with', false, 1],
])('ends although more is due, when %s', async (_, isDealtWith, most) => {
  let pages = 0;
  const hasMore = await lookAtDue(
    dueAtOnce(10 * MAX_DUE_DOCUMENTS),
    'run',
    () => 5,
    async () => {
      pages++;
      return isDealtWith;
    },
  );
  expect([pages, hasMore]).toEqual([most, isDealtWith]);
});
