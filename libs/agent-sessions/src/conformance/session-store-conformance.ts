import type { SessionStore } from '../session-store';
import { describeSessionCommits } from './session-commits';
import { describeSessionDispatches } from './session-dispatches';
import { describeSessionLists } from './session-lists';
import { describeSessionOutboxes } from './session-outboxes';
import { describeSessionReceipts } from './session-receipts';
import { describeSessionsThatGo } from './sessions-that-go';

export interface SessionStoreHarness {
  /** A replica; all of one test see the same sessions, every test starts with none. */
  open(): Promise<SessionStore>;
  /** Lets go of everything that was opened. */
  destroy(): Promise<void>;
}

/** What every SessionStore must do. Run it with a harness around each implementation. */
export function describeSessionStore(name: string, createHarness: () => Promise<SessionStoreHarness>): void {
  describe(`SessionStore: ${name}`, () => {
    let harness: SessionStoreHarness | undefined;
    beforeEach(async () => {
      harness = await createHarness();
    });
    afterEach(async () => {
      await harness?.destroy();
      harness = undefined;
    });

    const open = (): Promise<SessionStore> => {
      if (harness === undefined) throw new Error('no harness outside of a test');
      return harness.open();
    };
    describeSessionCommits(open);
    describeSessionReceipts(open);
    describeSessionOutboxes(open);
    describeSessionDispatches(open);
    describeSessionLists(open);
    describeSessionsThatGo(open);
  });
}
