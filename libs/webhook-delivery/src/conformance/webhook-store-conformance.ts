import type { WebhookRetention, WebhookStore } from '../webhook-store';
import { describeDeliveries } from './deliveries';
import { describeEndpoints } from './endpoints';
import { describeLeases } from './leases';

export interface WebhookStoreHarness {
  /** A replica; all of one test see the same endpoints, every test starts with none. */
  open(retention?: WebhookRetention): Promise<WebhookStore>;
  /** Lets go of everything that was opened. */
  destroy(): Promise<void>;
}

/** What every WebhookStore must do. Run it with a harness around each implementation. */
export function webhookStoreConformance(name: string, createHarness: () => Promise<WebhookStoreHarness>): void {
  describe(`WebhookStore: ${name}`, () => {
    let harness: WebhookStoreHarness | undefined;
    beforeEach(async () => {
      harness = await createHarness();
    });
    afterEach(async () => {
      await harness?.destroy();
      harness = undefined;
    });

    const open = (retention?: WebhookRetention): Promise<WebhookStore> => {
      if (harness === undefined) throw new Error('no harness outside of a test');
      return harness.open(retention);
    };
    describeEndpoints(open);
    describeLeases(open);
    describeDeliveries(open);
  });
}
