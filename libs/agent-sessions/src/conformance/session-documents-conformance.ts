import type { SessionDocuments } from '../session-documents';
import { describeChangesOfDocuments } from './changes-of-documents';
import { describeListsOfDocuments } from './lists-of-documents';

export interface SessionDocumentsHarness {
  /** A replica; all of one test see the same documents, every test starts with none. */
  open(): Promise<SessionDocuments>;
  /** Lets go of everything that was opened. */
  destroy(): Promise<void>;
}

/** What every SessionDocuments must do. Run it with a harness around each implementation. */
export function describeSessionDocuments(name: string, createHarness: () => Promise<SessionDocumentsHarness>): void {
  describe(`SessionDocuments: ${name}`, () => {
    let harness: SessionDocumentsHarness | undefined;
    beforeEach(async () => {
      harness = await createHarness();
    });
    afterEach(async () => {
      await harness?.destroy();
      harness = undefined;
    });

    const open = (): Promise<SessionDocuments> => {
      if (harness === undefined) throw new Error('no harness outside of a test');
      return harness.open();
    };
    describeChangesOfDocuments(open);
    describeListsOfDocuments(open);
  });
}
