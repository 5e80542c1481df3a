import type { ChainStore } from '../chain-store';
import { describeChainCommits } from './commits';
import { describeChainDocuments } from './documents';
import { describeChainGrants } from './grants';

export interface ChainStoreHarness {
  /** A replica; all of one test see the same chains, every test starts with none. */
  open(): Promise<ChainStore>;
  /** Lets go of everything that was opened. */
  destroy(): Promise<void>;
}

/** What every ChainStore must do. Run it with a harness around each implementation. */
export function chainStoreConformance(name: string, createHarness: () => Promise<ChainStoreHarness>): void {
  describe(`ChainStore: ${name}`, () => {
    let harness: ChainStoreHarness | undefined;
    beforeEach(async () => {
      harness = await createHarness();
    });
    afterEach(async () => {
      await harness?.destroy();
      harness = undefined;
    });

    const open = (): Promise<ChainStore> => {
      if (harness === undefined) throw new Error('no harness outside of a test');
      return harness.open();
    };
    describeChainGrants(open);
    describeChainCommits(open);
    describeChainDocuments(open);
  });
}
