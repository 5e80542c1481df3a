import type { FileStore } from '../file-store';
import { describeBrokenFiles } from './broken-files';
import { describeWholeFiles } from './whole-files';

export interface FileStoreHarness {
  /** The store; every test starts with an empty one. */
  open(): Promise<FileStore>;
  /** Lets go of everything that was opened. */
  destroy(): Promise<void>;
}

/** What every FileStore must do. Run it with a harness around each implementation. */
export function describeFileStore(name: string, createHarness: () => Promise<FileStoreHarness>): void {
  describe(`FileStore: ${name}`, () => {
    let harness: FileStoreHarness | undefined;
    beforeEach(async () => {
      harness = await createHarness();
    });
    afterEach(async () => {
      await harness?.destroy();
      harness = undefined;
    });

    const open = (): Promise<FileStore> => {
      if (harness === undefined) throw new Error('no harness outside of a test');
      return harness.open();
    };
    describeWholeFiles(open);
    describeBrokenFiles(open);

    it('can be used until it is closed, which may be asked twice', async () => {
      const store = await open();
      await store.check();
      await store.close();
      await store.close();
    });
  });
}
