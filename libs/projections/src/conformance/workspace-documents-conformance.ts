import { WORKSPACE_DOCUMENT_KINDS } from '../workspace/documents';
import fc from 'fast-check';
import { describeDocumentsMadeTwice } from './documents-made-twice';
import { describeDocumentsOfEvents } from './documents-of-events';
import { describeDocumentsThatGo } from './documents-that-go';
import type { WorkspaceDocumentsHarness } from './harness';
import { memoryHarness } from './memory-harness';
import { describeReadsOfDocuments } from './reads-of-documents';
import * as sample from './sample-data';
import { workspaceEnvelope } from './workspace-envelope';
import { workspaceHistory } from './workspace-history';

const HISTORIES = 12;
const SEED = 7;

/** Everything that can be read of a history's workspaces. */
async function everything({ documents }: WorkspaceDocumentsHarness): Promise<unknown> {
  const lists = [1, 2].flatMap((workspaceId) =>
    WORKSPACE_DOCUMENT_KINDS.map((kind) => documents.list({ workspaceId, kind, limit: 1000 })),
  );
  const due = (['cron_job', 'run'] as const).map((kind) => documents.due({ kind, dueBefore: 1e12, limit: 100 }));
  return Promise.all([...lists, ...due]);
}

/** What every WorkspaceDocuments must do, by the events of a read model. `createHarness` is called for every test. */
export function describeWorkspaceDocuments(
  name: string,
  createHarness: () => Promise<WorkspaceDocumentsHarness>,
): void {
  describe(`WorkspaceDocuments: ${name}`, () => {
    let harness: WorkspaceDocumentsHarness;
    beforeEach(async () => {
      harness = await createHarness();
    });
    afterEach(() => harness.destroy());

    describeDocumentsOfEvents(() => harness);
    describeDocumentsMadeTwice(() => harness);
    describeDocumentsThatGo(() => harness);
    describeReadsOfDocuments(() => harness);

    it('means nothing by an event that is known', async () => {
      const created = workspaceEnvelope('task_created', sample.task('t'));
      const deleted = workspaceEnvelope('task_deleted', { task_id: 't' });
      await harness.record([created, created]);
      await harness.record([deleted, created]);
      await harness.record([created]);
      expect(await harness.documents.find(1, 'task', 't')).toBeUndefined();
    });

    it.each(fc.sample(workspaceHistory, { numRuns: HISTORIES, seed: SEED }).map((history, n) => ({ history, n })))(
      'shows what events one by one leave, whatever meets in a batch: history $n',
      async ({ history }) => {
        const stepwise = memoryHarness();
        for (const batch of history) {
          await harness.record(batch);
          for (const envelope of batch) await stepwise.record([envelope]);
          expect(await everything(harness)).toEqual(await everything(stepwise));
        }
      },
    );
  });
}
